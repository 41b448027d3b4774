import type { DurableFrame, PromptFrame, TurnStatus } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { render } from './render.ts';

/** Everything the channel has of one turn: what a client that knows it by its id alone begins with. */
export interface TurnRecord {
  epoch: string;
  /** The newest entry of the journal: what comes after it is not in here. */
  head: number;
  turn: string;
  /** The id of the reply. */
  message: string;
  conversation: string;
  status: TurnStatus;
  /** The `seq` of its first frame. */
  opened: number;
  /** Its frames, each with the Unix seconds of its entry; none where the journal no longer has them. */
  frames: { frame: DurableFrame; at: number }[];
  /** The text of an open turn. */
  text: string;
  reasoning: string;
}

/** Undefined where there is no such turn, or its conversation was deleted. */
export function turnRecord(core: Core, deletedAt: (id: string) => number, turn: string) {
  core.flush();
  const { journal, turns } = core;
  const state = turns.find(turn);
  if (!state || deletedAt(state.conversation) > state.opened) return undefined;
  const { message, conversation, status, opened } = state;
  const last = isTerminal(status) ? state.seq : journal.head;
  const frames: TurnRecord['frames'] = [];
  const prompts = new Set<string>();
  for (const stored of opened > journal.cut ? journal.after(opened - 1) : []) {
    if (stored.seq > last) break;
    const frame: DurableFrame = JSON.parse(stored.frame);
    if (!isAbout(frame)) continue;
    if (frame.type === 'prompt') prompts.add(frame.prompt);
    frames.push({ frame: render(frame, core.links), at: (journal.timeOf(stored.seq) ?? 0) / 1000 });
  }
  const open = turns.get(turn);
  const [text, reasoning] = [open?.text.shown ?? '', open?.reasoning.shown ?? ''];
  const { epoch, head } = journal;
  return { epoch, head, turn, message, conversation, status, opened, frames, text, reasoning };

  function isAbout(frame: DurableFrame): boolean {
    if (frame.type === 'prompt_closed') return prompts.has(frame.prompt);
    if (frame.type === 'edit') return frame.id === message;
    if (frame.type === 'conversation') return frame.id === conversation;
    return frame.turn === turn;
  }
}

/** A turn that has not ended, as whoever looks in sees it. */
export interface OpenTurnView {
  turn: string;
  message: string;
  conversation: string;
  status: TurnStatus;
  /** Unix seconds. */
  started_at: number;
  /** Whether its upstream has taken it. */
  accepted: boolean;
  /** The tool that was heard of last. */
  latest_tool?: string;
}

/** What is open in a channel now. */
export interface OpenView {
  turns: OpenTurnView[];
  /** Open prompts, each with the Unix seconds of its entry. */
  prompts: { frame: PromptFrame; at: number }[];
}

/** What is open, in the order in which it was opened. */
export function openView({ turns, prompts, journal }: Core): OpenView {
  const since = (seq: number): number => (journal.timeOf(seq) ?? 0) / 1000;
  return {
    turns: [...turns.open].map(({ state }) => {
      const { turn, message, conversation, status, opened, accepted } = state;
      const latest = journal.latestTool(turn, conversation, opened);
      return {
        ...{ turn, message, conversation, status, accepted, started_at: since(opened) },
        ...(latest === undefined ? {} : { latest_tool: latest }),
      };
    }),
    prompts: [...prompts.open].map(({ frame }) => ({ frame, at: since(frame.seq) })),
  };
}

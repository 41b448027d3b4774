import type { HistoryRow } from '../../protocol/history.ts';
import type { DurableFrame, TurnStatus } from '../../protocol/server-frames.ts';
import { isTerminal } from '../../protocol/server-frames.ts';
import { type TerminalState, terminalStateOf } from './ends.ts';
import { isAhead, NOWHERE, type Place } from './place.ts';
import { hermesDown, type Placed, type RunState, runState } from './run.ts';
import type { RunEvent } from './run-writer.ts';

/** What is stored of a run. */
export interface RunRecord {
  turn: string;
  message: string;
  conversation: string;
  status: TurnStatus;
  frames: readonly Placed[];
  /** The text of an open run. */
  text: string;
  reasoning: string;
}

/** A run up to now, as it is told to a client that stands at `from`. */
export function replay(record: RunRecord, from: Place = NOWHERE): [RunState, RunEvent[]] {
  const { turn, message, conversation, text } = record;
  const chunk = (kind: 'text' | 'reasoning', said: string): Placed[] =>
    said === ''
      ? []
      : [{ frame: { type: 'chunk', turn, message, conversation, kind, offset: 0, text: said }, at: 0 }];
  const [first, ...others] = record.frames;
  // Where thoughts stood between other things is not stored: they come first, as they mostly do.
  const placed = [
    ...(first ? [first] : []),
    ...chunk('reasoning', reasoningOf(record)),
    ...others,
    ...chunk('text', text),
  ];
  let state = runState(record, from);
  const events: RunEvent[] = [];
  for (const { frame, at } of placed) {
    const [next, given] = hermesDown(state, frame, at);
    state = next;
    events.push(...given);
  }
  return [state, events];
}

function reasoningOf({ message, frames, reasoning }: RunRecord): string {
  if (reasoning !== '') return reasoning;
  const reply = frames.findLast(({ frame }) => frame.type === 'message' && frame.id === message)?.frame;
  return (reply?.type === 'message' && reply.reasoning) || '';
}

/** The same; a client that claims more than there is is told the run from its beginning. */
export function replayFrom(record: RunRecord, from: Place): [RunState, RunEvent[]] {
  const [{ at }] = replay(record);
  return replay(record, isAhead(from, at) ? NOWHERE : from);
}

/** The frames of a finished run that are in the records alone: what its row of history has. */
export function framesOf(
  { turn, message, conversation, status }: Omit<RunRecord, 'frames'>,
  row: HistoryRow | undefined,
): { frame: DurableFrame; at: number }[] {
  const at = row?.timestamp ?? 0;
  const seq = row?.seq ?? 0;
  const common = { seq, turn, conversation, message };
  const frames: DurableFrame[] = [{ type: 'turn', ...common, status: 'queued' }];
  if (row?.type === 'message') {
    for (const tool of row.tools ?? []) {
      if (tool.status !== 'running') frames.push({ ...tool, status: 'running', result: undefined });
      frames.push(tool);
    }
    frames.push(row);
  }
  if (isTerminal(status))
    frames.push({
      ...{ type: 'turn', ...common, status },
      ...(row?.type === 'message' && row.usage ? { usage: row.usage } : {}),
      ...(row?.type === 'message' && row.error ? { error: row.error } : {}),
    });
  return frames.map((frame) => ({ frame, at }));
}

/** A run's journal in short, as `GET /api/chat/stream/status` tells it. */
export interface RunSummary {
  session_id: string;
  run_id: string;
  last_seq: number;
  last_event_id: string | null;
  last_event: string | null;
  terminal: boolean;
  terminal_state: TerminalState | null;
}

export function summaryOf(record: RunRecord): RunSummary {
  const [state, events] = replay(record);
  const { turn: run_id, conversation: session_id } = record;
  const last = events.at(-1);
  // What decides is the newest end that is not `stream_end`.
  const end = events.findLast(
    ({ event, data }) => event !== 'stream_end' && terminalStateOf(event, data) !== null,
  );
  const last_seq = state.last;
  return {
    ...{ session_id, run_id, last_seq },
    last_event_id: last === undefined ? null : `${run_id}:${last_seq}`,
    last_event: last?.event ?? null,
    terminal: end !== undefined,
    terminal_state: end === undefined ? null : terminalStateOf(end.event, end.data),
  };
}

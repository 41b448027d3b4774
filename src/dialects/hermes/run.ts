import type { ServerFrame } from '../../protocol/server-frames.ts';
import { NOWHERE, type Place } from './place.ts';
import { type RunEvent, RunWriter } from './run-writer.ts';

/** Frames that have their place in the text, and wait until it has come that far. */
export interface Placed {
  frame: ServerFrame;
  at: number;
}

/** What of a run has been told. Rebuilt from what is stored of the turn. */
export interface RunState {
  /** The turn's id, the conversation's, and the reply's. */
  run: string;
  session: string;
  reply: string;
  /** Where the client stood before: what is before it has been told. */
  from: Place;
  /** How far the run has been read. */
  at: Place;
  /** The reply's text so far. */
  said: string;
  /** The arguments with which tools were called: their ends do not always repeat them. */
  tools: Readonly<Record<string, unknown>>;
  held: readonly Placed[];
  /** Prompts that were asked. */
  approvals: readonly string[];
  prompts: readonly string[];
  /** Something was told besides the reply's text. */
  shown: boolean;
  /** The `seq` of the newest event. */
  last: number;
  ended: boolean;
}

/** A run from its beginning, for a client that stands at `from`. */
export function runState(
  { turn, conversation, message }: { turn: string; conversation: string; message: string },
  from: Place = NOWHERE,
): RunState {
  return {
    ...{ run: turn, session: conversation, reply: message, from, at: NOWHERE, said: '', tools: {} },
    ...{ held: [], approvals: [], prompts: [], shown: false, last: 0, ended: false },
  };
}

/**
 * Maps a native frame, which was made at `at` (Unix seconds), to events of `GET /api/chat/stream`. Pure. Frames of other turns
 * give none.
 */
export function hermesDown(state: RunState, frame: ServerFrame, at: number): [RunState, RunEvent[]] {
  if (state.ended) return [state, []];
  const out = new RunWriter(state);
  switch (frame.type) {
    case 'chunk':
      if (frame.turn !== state.run) break;
      if (frame.kind === 'text') out.text(frame.offset, frame.text);
      else out.reasoning(frame.offset, frame.text);
      break;
    case 'message':
      if (frame.turn === state.run && frame.role === 'assistant') out.durable({ frame, at });
      break;
    case 'edit':
      if (frame.id === state.reply) out.durable({ frame, at });
      break;
    case 'conversation':
      if (frame.id === state.session && frame.title !== undefined) out.durable({ frame, at });
      break;
    case 'tool':
    case 'file':
    case 'prompt':
    case 'prompt_closed':
    case 'turn':
      if (frame.type === 'prompt_closed' || frame.turn === state.run) out.durable({ frame, at });
      break;
    default:
      break;
  }
  return out.result();
}

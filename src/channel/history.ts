import type { HistoryRow } from '../protocol/history.ts';
import { type DurableFrame, isTerminal, type ToolFrame, type TurnFrame } from '../protocol/server-frames.ts';

/** A row and the `seq` with which it first appeared, which is its place. */
export interface PlacedRow {
  position: number;
  row: HistoryRow;
}

/** Folds journalled frames (oldest first) into rows, oldest first. */
export function foldHistory(frames: Iterable<DurableFrame>): PlacedRow[] {
  const rows = new Map<string, PlacedRow>();
  const tools = new Map<string, Map<string, ToolFrame>>();
  /** The reply of each turn: its tools are shown there. */
  const replies = new Map<string, string>();
  /** A reply stands where its turn began, under its question, as whoever saw it come has it. */
  const begun = new Map<string, number>();
  for (const frame of frames) {
    switch (frame.type) {
      case 'message':
      case 'file':
        // A later frame with the same id is the same message, rewritten where it stands.
        rows.set(frame.id, {
          position: rows.get(frame.id)?.position ?? begun.get(frame.id) ?? frame.seq,
          row: frame,
        });
        break;
      case 'edit': {
        const known = rows.get(frame.id);
        if (known?.row.type !== 'message') break;
        const { seq, text, timestamp, buttons } = frame;
        known.row = { ...known.row, seq, text, edited_at: timestamp, ...(buttons ? { buttons } : {}) };
        break;
      }
      case 'tool': {
        const calls = tools.get(frame.turn) ?? new Map<string, ToolFrame>();
        const earlier = calls.get(frame.tool);
        // Where a tool stands in the text is where it began.
        calls.set(frame.tool, earlier ? { ...earlier, ...frame, offset: earlier.offset } : frame);
        tools.set(frame.turn, calls);
        break;
      }
      case 'turn': {
        replies.set(frame.turn, frame.message);
        if (!begun.has(frame.message)) begun.set(frame.message, frame.seq);
        const known = rows.get(frame.message);
        if (known && isTerminal(frame.status)) known.row = { ...known.row, seq: frame.seq, ...ending(frame) };
        break;
      }
    }
  }
  for (const [turn, calls] of tools) {
    const id = replies.get(turn);
    const known = id === undefined ? undefined : rows.get(id);
    if (known) known.row = { ...known.row, tools: [...calls.values()] };
  }
  return [...rows.values()].sort((a, b) => a.position - b.position);
}

function ending({ status, usage, error }: TurnFrame): Pick<HistoryRow, 'usage' | 'status' | 'error'> {
  return {
    ...(usage ? { usage } : {}),
    ...(status === 'completed' ? {} : { status }),
    ...(error ? { error } : {}),
  };
}

import {
  type DurableFrame,
  type FileFrame,
  isTerminal,
  type MessageFrame,
  type ToolFrame,
  type TurnError,
  type TurnFrame,
  type TurnStatus,
  type Usage,
} from '../protocol/server-frames.ts';

/** A row of a conversation's history: the frame, with the `seq` of its last change. */
export type HistoryRow = (MessageFrame | FileFrame) & {
  edited_at?: number;
  tools?: ToolFrame[];
  usage?: Usage;
  /** How the turn of a reply ended, where it did not complete. */
  status?: TurnStatus;
  error?: TurnError;
};

/** A row and the `seq` with which it first appeared, which is its place. */
export interface PlacedRow {
  position: number;
  row: HistoryRow;
}

export interface HistoryPage {
  messages: HistoryRow[];
  /** What to give as `before` for the page before this one; null where there is none. */
  next: number | null;
}

/** Folds journalled frames (oldest first) into rows, oldest first. */
export function foldHistory(frames: Iterable<DurableFrame>): PlacedRow[] {
  const rows = new Map<string, PlacedRow>();
  const tools = new Map<string, Map<string, ToolFrame>>();
  for (const frame of frames) {
    switch (frame.type) {
      case 'message':
      case 'file':
        // A later frame with the same id is the same message, rewritten where it stands.
        rows.set(frame.id, { position: rows.get(frame.id)?.position ?? frame.seq, row: frame });
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
        const known = rows.get(frame.message);
        if (known && isTerminal(frame.status)) known.row = { ...known.row, seq: frame.seq, ...ending(frame) };
        break;
      }
    }
  }
  return [...rows.values()].map(({ position, row }) => ({ position, row: withTools(row, tools) }));
}

function ending({ status, usage, error }: TurnFrame): Pick<HistoryRow, 'usage' | 'status' | 'error'> {
  return {
    ...(usage ? { usage } : {}),
    ...(status === 'completed' ? {} : { status }),
    ...(error ? { error } : {}),
  };
}

function withTools(row: HistoryRow, tools: Map<string, Map<string, ToolFrame>>): HistoryRow {
  const calls =
    row.type === 'message' && row.role === 'assistant' && row.turn ? tools.get(row.turn) : undefined;
  return calls ? { ...row, tools: [...calls.values()] } : row;
}

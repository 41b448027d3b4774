import { type Links, render } from '../channel/render.ts';
import type { DurableFrame, FileFrame, MessageFrame, ToolFrame, Usage } from '../protocol/server-frames.ts';

/** A row of `GET /api/conversations/{id}/messages`: the frame, with the `seq` of its last change. */
export type HistoryRow = (MessageFrame | FileFrame) & {
  edited_at?: number;
  tools?: ToolFrame[];
  usage?: Usage;
};

export interface HistoryPage {
  messages: HistoryRow[];
  /** What to give as `before` for the page before this one; null where there is none. */
  next: number | null;
}

/** Folds journalled frames (oldest first) into rows, newest first, those first written before the `seq` `before`. */
export function historyRows(
  frames: readonly DurableFrame[],
  links: Links,
  before: number | undefined,
  limit: number,
): HistoryPage {
  const rows = new Map<string, { first: number; row: HistoryRow }>();
  const tools = new Map<string, Map<string, ToolFrame>>();
  const usage = new Map<string, Usage>();
  for (const frame of frames) {
    switch (frame.type) {
      case 'message':
      case 'file':
        // A later frame with the same id is the same message, rewritten where it stands.
        rows.set(frame.id, { first: rows.get(frame.id)?.first ?? frame.seq, row: frame });
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
      case 'turn':
        if (frame.usage) usage.set(frame.message, frame.usage);
        break;
    }
  }
  const older = [...rows.values()]
    .filter(({ first }) => before === undefined || first < before)
    .sort((a, b) => b.first - a.first);
  const page = older.slice(0, limit);
  return {
    messages: page.map(({ row }) => complete(render(row, links), tools, usage)),
    next: older.length > limit ? (page.at(-1)?.first ?? null) : null,
  };
}

function complete(
  row: HistoryRow,
  tools: Map<string, Map<string, ToolFrame>>,
  usage: Map<string, Usage>,
): HistoryRow {
  const calls =
    row.type === 'message' && row.role === 'assistant' && row.turn ? tools.get(row.turn) : undefined;
  const spent = usage.get(row.id);
  return { ...row, ...(calls ? { tools: [...calls.values()] } : {}), ...(spent ? { usage: spent } : {}) };
}

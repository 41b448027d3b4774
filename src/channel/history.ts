import type { HistoryRow } from '../protocol/history.ts';
import { BOT } from '../protocol/identity.ts';
import { isTerminal, type MessageFrame, type ToolFrame, type TurnFrame } from '../protocol/server-frames.ts';
import type { Entry } from './journal.ts';

/** A row and the `seq` with which it first appeared, which is its place. */
export interface PlacedRow {
  position: number;
  row: HistoryRow;
}

/** Folds journalled entries (oldest first) into rows, oldest first; `earlier` are rows from before them. */
export function foldHistory(entries: Iterable<Entry>, earlier: readonly PlacedRow[] = []): PlacedRow[] {
  const rows = new Map(earlier.map((placed) => [placed.row.id, { ...placed }]));
  const tools = new Map<string, Map<string, ToolFrame>>();
  /** The reply of each turn: its tools are shown there. */
  const replies = new Map<string, string>();
  /** A reply stands where its turn began, under its question, as whoever saw it come has it. */
  const begun = new Map<string, number>();
  for (const { frame, at } of entries) {
    switch (frame.type) {
      case 'message':
      case 'file':
        // A later frame with the same id is the same message, rewritten where it stands.
        rows.set(frame.id, {
          position: rows.get(frame.id)?.position ?? begun.get(frame.id) ?? frame.seq,
          row: frame,
        });
        if (frame.type === 'message') press(rows, frame);
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
        if (!isTerminal(frame.status)) break;
        const known = rows.get(frame.message) ?? wordless(frame, begun.get(frame.message), at);
        if (!known) break;
        known.row = { ...known.row, seq: frame.seq, ...ending(frame) };
        rows.set(frame.message, known);
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

/** A button that was pressed says so on its message, so that it counts once for ever (P-WS-5). */
function press(rows: Map<string, PlacedRow>, { seq, custom_id, reply_to = '' }: MessageFrame): void {
  const known = rows.get(reply_to);
  if (custom_id === undefined || known?.row.type !== 'message') return;
  const pressed = new Set(known.row.pressed).add(custom_id);
  known.row = { ...known.row, seq, pressed: [...pressed] };
}

/** A turn that broke off before it said anything: that it did is what its user must find, also later. */
function wordless(frame: TurnFrame, begun: number | undefined, at: number): PlacedRow | undefined {
  if (frame.status !== 'failed' && frame.status !== 'expired') return undefined;
  const { seq, message: id, conversation, turn, replaces } = frame;
  const row: MessageFrame = {
    type: 'message',
    seq,
    id,
    conversation,
    role: 'assistant',
    sender: BOT.user_id,
    text: '',
    timestamp: at / 1000,
    turn,
    partial: true,
    ...(replaces === undefined ? {} : { replaces }),
  };
  return { position: begun ?? seq, row };
}

function ending({ status, usage, error }: TurnFrame): Pick<HistoryRow, 'usage' | 'status' | 'error'> {
  return {
    ...(usage ? { usage } : {}),
    ...(status === 'completed' ? {} : { status }),
    ...(error ? { error } : {}),
  };
}

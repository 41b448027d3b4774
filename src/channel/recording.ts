import { type DurableFrame, isTerminal } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { foldHistory, type PlacedRow } from './history.ts';

/** Entries that are handed over at once. */
const BATCH = 500;

/** Rows that the records do not have, or not as they are now, and the newest entry they speak for. */
export interface Unrecorded {
  upTo: number;
  rows: PlacedRow[];
}

/** What the journal holds that the records (D1) lack: the journal is their outbox (DESIGN 6). */
export function unrecorded({ journal, ports: { sql } }: Core): Unrecorded | undefined {
  if (journal.recorded >= journal.head) return undefined;
  const from = journal.recorded;
  const upTo = Math.min(journal.head, from + BATCH);
  const changes = sql.all<{ type: string; id: string | null; frame: string }>(
    "SELECT type, id, frame FROM events WHERE seq > ? AND seq <= ? AND type IN ('message', 'file', 'edit', 'turn')",
    from,
    upTo,
  );
  const ids = new Set(changes.flatMap((change) => changedRow(change)));
  if (ids.size === 0) return { upTo, rows: [] };
  // Whole rows are made from everything that is kept of them, so that a batch may end anywhere.
  const conversations = sql.all<{ conversation: string }>(
    "SELECT DISTINCT conversation FROM events WHERE seq > ? AND seq <= ? AND type IN ('message', 'file', 'edit', 'turn')",
    from,
    upTo,
  );
  const rows = conversations.flatMap(({ conversation }) =>
    foldHistory(until(journal.history(conversation), upTo)),
  );
  return { upTo, rows: rows.filter(({ row }) => ids.has(row.id)) };
}

function changedRow({ type, id, frame }: { type: string; id: string | null; frame: string }): string[] {
  if (type !== 'turn') return id === null ? [] : [id];
  const turn: DurableFrame = JSON.parse(frame);
  return turn.type === 'turn' && isTerminal(turn.status) ? [turn.message] : [];
}

function* until(frames: Iterable<DurableFrame>, upTo: number): Generator<DurableFrame> {
  for (const frame of frames) {
    if (frame.seq > upTo) return;
    yield frame;
  }
}

import type { Core } from './core.ts';

/** How often what is old is looked for; the tables are scanned, which costs a thousandth of an index. */
const EVERY_MS = 3_600_000;

/** A journal over its limits is cut to this part of them, so that deletes come in bulk and not with every entry. */
const KEEP = 0.75;

/** Tables that remember what has been seen, each with the time of it in `at`. */
const MEMORIES = ['sends', 'pressed', 'ingests', 'producers'] as const;

/** Keeps a channel within its bounds: forgets what is old, and cuts the journal. */
export class Maintenance {
  #last = 0;

  /** Whether it is time, or the journal has grown over its number of entries. */
  isDue(core: Core): boolean {
    if (!core.journal.exists) return false;
    return (
      core.now - this.#last >= EVERY_MS ||
      core.journal.head - core.journal.cut > core.ports.limits.journal_events
    );
  }

  /** Runs inside `core.commit`. */
  run(core: Core): void {
    this.#last = core.now;
    forget(core);
    const cut = cutOf(core);
    if (cut > core.journal.cut && isRecorded(core)) {
      core.journal.trim(cut);
      core.recalled.clear();
    }
    core.journal.grown = 0;
  }
}

/** Nothing is cut that the records do not have; with all of it there, no later entry can refer to what is missing. */
function isRecorded({ journal }: Core): boolean {
  return journal.recorded === journal.head;
}

/** Forgets requests, sends and finished turns after `idempotency_ms`. */
function forget({ ports: { sql, limits }, tables, ingests, now }: Core): void {
  const before = now - limits.idempotency_ms;
  for (const table of MEMORIES) if (tables.has(table)) sql.run(`DELETE FROM ${table} WHERE at < ?`, before);
  for (const table of ['turns', 'prompts'] as const)
    if (tables.has(table)) sql.run(`DELETE FROM ${table} WHERE open = 0 AND at < ?`, before);
  if (!tables.has('results')) return;
  // Of requests under way that only a mark tells of, the results stay.
  ingests.storeAll(now, { marked: false, dropped: true, texts: false });
  tables.make('ingests');
  sql.run('DELETE FROM results WHERE key NOT IN (SELECT key FROM ingests)');
}

/** The newest entry that need not be kept by number, size or age. */
function cutOf(core: Core): number {
  const {
    ports: { sql, limits },
    journal,
    now,
  } = core;
  const old = sql.all<{ seq: number | null }>(
    'SELECT max(seq) AS seq FROM events WHERE at < ?',
    now - limits.journal_age_ms,
  );
  let cut = old[0]?.seq ?? 0;
  const held = journal.head - journal.cut;
  if (held > limits.journal_events)
    cut = Math.max(cut, journal.head - Math.floor(limits.journal_events * KEEP));
  const sizes = sql.all<{ seq: number; bytes: number }>('SELECT seq, bytes FROM events ORDER BY seq DESC');
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > limits.journal_bytes) {
    let kept = 0;
    const first = sizes.find(({ bytes }) => {
      kept += bytes;
      return kept > limits.journal_bytes * KEEP;
    });
    cut = Math.max(cut, first?.seq ?? 0);
  }
  // The newest entry says where the journal stands.
  return betweenTurns(core, Math.min(cut, journal.head - 1));
}

/** A row of history is made of all frames of its turn: a cut never goes through one, and an open turn is kept whole. */
function betweenTurns({ turns }: Core, cut: number): number {
  let at = cut;
  // From the last turn to the first: a cut that moves back may come into an earlier one.
  for (const { from, to } of turns.spans.sort((a, b) => b.to - a.to)) {
    if (from <= at && at < to) at = from - 1;
  }
  return at;
}

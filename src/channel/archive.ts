import type { HistoryRow } from '../protocol/history.ts';
import type { TurnEnd } from '../protocol/turn-outcome.ts';
import type { Core } from './core.ts';
import { endings } from './endings.ts';
import { foldHistory, type PlacedRow } from './history.ts';
import type { Maintenance } from './maintenance.ts';
import { type Unrecorded, unrecorded } from './recording.ts';
import { type Asked, askedBy } from './regenerate.ts';
import { render } from './render.ts';

/** The channel's side of the records (D1): what it has for them, and what it takes back. */
export class Archive {
  readonly #core: Core;
  readonly #maintenance: Maintenance;

  constructor(core: Core, maintenance: Maintenance) {
    this.#core = core;
    this.#maintenance = maintenance;
  }

  /** The rows of a conversation that the journal holds, oldest first; older ones are in the records. */
  history(conversation: string): PlacedRow[] {
    return foldHistory(this.#core.journal.history(conversation), this.#core.recalled.of(conversation));
  }

  /** Whether the journal has stored anything. */
  get begun(): boolean {
    return this.#core.journal.exists;
  }

  /** The records have entries up to `seq` of a journal that is lost: this one goes on behind them. */
  begin(seq: number): void {
    this.#core.ports.sql.transaction(() => this.#core.journal.begin(seq));
  }

  /** The newest entry that the journal no longer holds. */
  get cut(): number {
    return this.#core.journal.cut;
  }

  /** What the user is called; '' where nobody has said. */
  get name(): string {
    return this.#core.journal.name;
  }

  /** Completes a stored row for sending. */
  render(row: HistoryRow): HistoryRow {
    return render(row, this.#core.links);
  }

  /** What the records do not have yet; undefined where they have everything. */
  get unrecorded(): Unrecorded | undefined {
    return unrecorded(this.#core);
  }

  /** Unix ms of the oldest entry that the records lack. */
  get unrecordedSince(): number | undefined {
    return this.#core.journal.timeOf(this.#core.journal.recorded + 1);
  }

  /** How the turns ended of which the records do not have everything, up to an entry. */
  endings(upTo: number): TurnEnd[] {
    return endings(this.#core, this.#core.journal.recorded, upTo);
  }

  /** What a finished turn was about, as far as the journal goes back. Throws `conflict` while it is open. */
  askedBy(turn: string): Asked | undefined {
    return askedBy(this.#core, turn);
  }

  /** The records have everything up to `seq`. */
  recorded(seq: number): void {
    this.#core.commit(() => {
      this.#core.journal.record(seq);
      if (this.#maintenance.isDue(this.#core)) this.#maintenance.run(this.#core);
    });
  }

  /** Those messages of `ids` that are not here and may be in the records. */
  lacking(ids: readonly string[]): string[] {
    const { journal, recalled } = this.#core;
    if (journal.cut === 0) return [];
    return ids.filter((id) => journal.find('message', id).length === 0 && !recalled.has(id));
  }

  /** Takes rows back that the records gave, for what is to change them; undefined where they cannot be read: of `ids`. */
  recall(ids: readonly string[], rows: readonly PlacedRow[] | undefined): void {
    const { recalled } = this.#core;
    recalled.unread(rows ? [] : ids);
    if (!rows) return;
    const wanted = rows.filter(({ row }) => this.lacking([row.id]).length > 0);
    if (wanted.length > 0)
      this.#core.commit(() => {
        for (const row of wanted) recalled.add(row);
      });
  }

  /** Files of deleted conversations that the records never had, and that are still to be removed. */
  get disposals(): string[] {
    const { tables, ports } = this.#core;
    if (!tables.has('disposals')) return [];
    return ports.sql.all<{ file: string }>('SELECT file FROM disposals LIMIT 500').map(({ file }) => file);
  }

  /** These have been removed. */
  disposed(files: readonly string[]): void {
    const { sql } = this.#core.ports;
    sql.run('DELETE FROM disposals WHERE file IN (SELECT value FROM json_each(?))', JSON.stringify(files));
  }

  /** Files of the upstream that the records may not know: of entries that they lack, and of deleted ones that they never had. */
  get strays(): string[] {
    const { journal, tables, ports } = this.#core;
    if (!journal.exists) return [];
    const disposals = tables.has('disposals') ? 'UNION SELECT file FROM disposals' : '';
    const query = `SELECT id AS file FROM events
      WHERE type = 'file' AND frame ->> 'url' = '' AND seq > ? ${disposals}`;
    return ports.sql.all<{ file: string }>(query, journal.recorded).map(({ file }) => file);
  }
}

import { StarwireError } from '../protocol/errors.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { Owner } from '../protocol/identity.ts';
import type { Limits } from '../protocol/limits.ts';
import { ofAllTenants, ofTenant, type Scope } from './scope.ts';

/** What is known of a file beside its bytes. */
export interface FileRow {
  id: string;
  filename: string;
  mimetype: string;
  /** Bytes. */
  size: number;
}

/** A file as it was deleted: where its bytes are, and whose row goes with them. */
export type Doomed = Owner & Pick<FileRow, 'id'>;

const DAY_S = 86_400;

/** Uploads that no message has named. */
const UNUSED = `tenant = ?1 AND user = ?2 AND uploaded = 1 AND orphan_at > ?3
  AND NOT EXISTS (SELECT 1 FROM file_uses AS one WHERE one.tenant = ?1 AND one.user = ?2 AND one.file = files.id)`;

const STANDING = `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes,
  coalesce((SELECT bytes FROM upload_days WHERE tenant = ?1 AND user = ?2 AND day = ?4), 0) AS today
  FROM files WHERE ${UNUSED}`;

interface Standing {
  files: number;
  bytes: number;
  today: number;
}

/** Whether the row of a use is recorded. */
const THERE = `EXISTS (SELECT 1 FROM messages AS one
  WHERE one.tenant = ?1 AND one.user = ?2 AND one.id = value ->> 'message')`;

const NEWEST_USE = 'ON CONFLICT (tenant, user, conversation, file) DO UPDATE SET at = max(at, excluded.at)';

/**
 * The records of files (D1). A file is on its way out from the start: `orphan_at` is a day after it came, is put off when a
 * message names it, and goes (NULL) when that message is recorded. Deleting sets it to 0. Whatever is past its time is swept,
 * bytes first, so that a deletion that broke off is finished by the next one.
 */
export class FileRows {
  readonly #db: D1Database;
  readonly #limits: Limits;

  constructor(db: D1Database, limits: Limits) {
    this.#db = db;
    this.#limits = limits;
  }

  /** Makes room for an upload of at most `file.size` bytes. Throws `rate_limited` over a quota. */
  async reserve({ tenant, user }: Owner, file: FileRow): Promise<void> {
    const { unused_files, unused_file_bytes, upload_bytes_per_day, upload_keep_ms } = this.#limits;
    const scope = ofTenant(this.#db, tenant);
    const now = Date.now() / 1000;
    const day = dayOf(now);
    const { id, filename, mimetype, size } = file;
    const [, standing] = await scope.batch<Standing>([
      scope.statement(
        `INSERT INTO files (tenant, user, id, filename, mimetype, size, uploaded, created_at, orphan_at)
         SELECT ?1, ?2, ?5, ?6, ?7, ?8, 1, ?3, ?9 FROM (${STANDING})
         WHERE files < ?10 AND bytes + ?8 <= ?11 AND today + ?8 <= ?12`,
        ...[user, now, day, id, filename, mimetype, size, now + upload_keep_ms / 1000],
        ...[unused_files, unused_file_bytes, upload_bytes_per_day],
      ),
      scope.statement(
        `SELECT * FROM (${STANDING}) WHERE NOT EXISTS (SELECT 1 FROM files WHERE tenant = ?1 AND user = ?2 AND id = ?5)`,
        ...[user, now, day, id],
      ),
      scope.statement(
        `INSERT INTO upload_days (tenant, user, day, bytes)
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM files WHERE tenant = ?1 AND user = ?2 AND id = ?5)
         ON CONFLICT (tenant, user) DO UPDATE
         SET bytes = iif(day = excluded.day, bytes, 0) + excluded.bytes, day = excluded.day`,
        ...[user, day, size, id],
      ),
    ]);
    const [refused] = standing?.results ?? [];
    if (!refused) return;
    if (refused.today + size > upload_bytes_per_day) {
      throw new StarwireError('rate_limited', `more than ${upload_bytes_per_day} bytes in one day`, {
        retry_after: Math.ceil((day + 1) * DAY_S - now),
      });
    }
    throw new StarwireError(
      'rate_limited',
      `${refused.files} files of ${refused.bytes} bytes wait to be sent with a message; ${unused_files} files of ${unused_file_bytes} bytes may`,
    );
  }

  /** All of it came, perhaps less than was reserved. Says whether its row is still there. */
  async settle({ tenant, user }: Owner, { id, size }: FileRow, reserved: number): Promise<boolean> {
    const scope = ofTenant(this.#db, tenant);
    const settle = scope.statement(
      'UPDATE files SET size = ?4 WHERE tenant = ?1 AND user = ?2 AND id = ?3 RETURNING id',
      ...[user, id, size],
    );
    if (size === reserved) return (await settle.first()) !== null;
    const [settled] = await scope.batch([settle, this.#refund(scope, user, reserved - size)]);
    return settled?.results.length === 1;
  }

  /** The upload failed after `came` bytes. */
  async release({ tenant, user }: Owner, { id, size }: FileRow, came: number): Promise<void> {
    const scope = ofTenant(this.#db, tenant);
    await scope.batch([
      scope.statement('DELETE FROM files WHERE tenant = ?1 AND user = ?2 AND id = ?3', user, id),
      this.#refund(scope, user, Math.max(0, size - came)),
    ]);
  }

  #refund(scope: Scope, user: string, bytes: number): D1PreparedStatement {
    return scope.statement(
      'UPDATE upload_days SET bytes = max(0, bytes - ?4) WHERE tenant = ?1 AND user = ?2 AND day = ?3',
      ...[user, dayOf(Date.now() / 1000), bytes],
    );
  }

  /** A file of the upstream, before anything is known of the message that carries it. */
  async add({ tenant, user }: Owner, { id, filename, mimetype, size }: FileRow): Promise<void> {
    const now = Date.now() / 1000;
    await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO files (tenant, user, id, filename, mimetype, size, uploaded, created_at, orphan_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)`,
        ...[user, id, filename, mimetype, size, now, now + this.#limits.upload_keep_ms / 1000],
      )
      .run();
  }

  /** Files of the upstream whose rows may be missing, since D1 was down when they came: they have their time from now on. */
  async remember({ tenant, user }: Owner, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const now = Date.now() / 1000;
    await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO files (tenant, user, id, filename, mimetype, size, uploaded, created_at, orphan_at)
         SELECT ?1, ?2, value, '', '', 0, 0, ?4, ?5 FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
        ...[user, JSON.stringify(ids), now, now + this.#limits.upload_keep_ms / 1000],
      )
      .run();
  }

  /** Those of the files that are the owner's, named by a message that is about to be sent. */
  async claim({ tenant, user }: Owner, conversation: string, ids: readonly string[]): Promise<FileRow[]> {
    const scope = ofTenant(this.#db, tenant);
    const now = Date.now() / 1000;
    const own = `tenant = ?1 AND user = ?2 AND id IN (SELECT value FROM json_each(?3))
      AND (orphan_at IS NULL OR orphan_at > ?4)`;
    const [claimed] = await scope.batch<FileRow>([
      // A name that does not lead to a message keeps a file for a while, not for ever.
      scope.statement(
        `UPDATE files SET orphan_at = max(orphan_at, ?5) WHERE ${own} RETURNING id, filename, mimetype, size`,
        ...[user, JSON.stringify(ids), now, now + this.#limits.attached_keep_ms / 1000],
      ),
      scope.statement(
        `INSERT INTO file_uses (tenant, user, conversation, file, at)
         SELECT ?1, ?2, ?5, id, ?4 FROM files WHERE ${own} ${NEWEST_USE}`,
        ...[user, JSON.stringify(ids), now, conversation],
      ),
    ]);
    return claimed?.results ?? [];
  }

  /**
   * Statements for the batch that puts these rows of history into the records, behind its own: the files of those that are
   * there then, and not late for a deletion, are kept from now on.
   */
  recorded({ tenant, user }: Owner, rows: readonly HistoryRow[]): D1PreparedStatement[] {
    const uses = rows.flatMap(usesOf);
    if (uses.length === 0) return [];
    const scope = ofTenant(this.#db, tenant);
    const json = JSON.stringify(uses);
    return [
      // The upstream's file may have come while D1 was down.
      scope.statement(
        `INSERT INTO files (tenant, user, id, filename, mimetype, size, uploaded, created_at)
         SELECT ?1, ?2, value ->> 'id', value ->> 'filename', value ->> 'mimetype', value ->> 'size', 0, value ->> 'timestamp'
         FROM json_each(?3) WHERE ${THERE} AND value ->> 'sent' ON CONFLICT DO NOTHING`,
        ...[user, json],
      ),
      scope.statement(
        `INSERT INTO file_uses (tenant, user, conversation, file, at)
         SELECT ?1, ?2, value ->> 'conversation', value ->> 'id', value ->> 'timestamp'
         FROM json_each(?3) WHERE ${THERE} ${NEWEST_USE}`,
        ...[user, json],
      ),
      scope.statement(
        `UPDATE files SET orphan_at = NULL WHERE tenant = ?1 AND user = ?2 AND orphan_at <> 0
         AND id IN (SELECT value ->> 'id' FROM json_each(?3) WHERE ${THERE})`,
        ...[user, json],
      ),
    ];
  }

  /** Ends what a conversation has used until then (Unix seconds): files that nothing else uses are on their way out. */
  async doomConversation({ tenant, user }: Owner, conversation: string, until: number): Promise<void> {
    const scope = ofTenant(this.#db, tenant);
    const ended = 'conversation = ?3 AND at <= ?4';
    await scope.batch([
      scope.statement(
        `UPDATE files SET orphan_at = 0 WHERE tenant = ?1 AND user = ?2
         AND id IN (SELECT file FROM file_uses WHERE tenant = ?1 AND user = ?2 AND ${ended})
         AND id NOT IN (SELECT file FROM file_uses WHERE tenant = ?1 AND user = ?2 AND NOT (${ended}))`,
        ...[user, conversation, until],
      ),
      scope.statement(
        `DELETE FROM file_uses WHERE tenant = ?1 AND user = ?2 AND ${ended}`,
        ...[user, conversation, until],
      ),
    ]);
  }

  /** These are on their way out, unless something uses them; one that has no row gets one, or its bytes would not be found. */
  async doom({ tenant, user }: Owner, ids: readonly string[]): Promise<void> {
    await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO files (tenant, user, id, filename, mimetype, size, uploaded, created_at, orphan_at)
         SELECT ?1, ?2, value, '', '', 0, 0, ?4, 0 FROM json_each(?3) WHERE NOT EXISTS (
           SELECT 1 FROM file_uses AS one WHERE one.tenant = ?1 AND one.user = ?2 AND one.file = value)
         ON CONFLICT DO UPDATE SET orphan_at = 0`,
        ...[user, JSON.stringify(ids), Date.now() / 1000],
      )
      .run();
  }

  /** All files of a user are on their way out. */
  async doomUser({ tenant, user }: Owner): Promise<void> {
    const scope = ofTenant(this.#db, tenant);
    await scope.batch([
      scope.statement('UPDATE files SET orphan_at = 0 WHERE tenant = ?1 AND user = ?2', user),
      scope.statement('DELETE FROM file_uses WHERE tenant = ?1 AND user = ?2', user),
      scope.statement('DELETE FROM upload_days WHERE tenant = ?1 AND user = ?2', user),
    ]);
  }

  /** Up to `limit` files that are past their time, of one user or of all; from now on no message can name them. */
  async past(limit: number, owner?: Owner): Promise<Doomed[]> {
    const now = Date.now() / 1000;
    const statement = owner
      ? ofTenant(this.#db, owner.tenant).statement(
          `UPDATE files SET orphan_at = 0 WHERE tenant = ?1 AND user = ?2 AND id IN (SELECT id FROM files
           WHERE tenant = ?1 AND user = ?2 AND orphan_at <= ?3 LIMIT ?4) RETURNING tenant, user, id`,
          ...[owner.user, now, limit],
        )
      : ofAllTenants(this.#db).statement(
          `UPDATE files SET orphan_at = 0 WHERE (tenant, user, id) IN (SELECT tenant, user, id FROM files
           WHERE orphan_at <= ?1 ORDER BY orphan_at LIMIT ?2) RETURNING tenant, user, id`,
          ...[now, limit],
        );
    return (await statement.all<Doomed>()).results;
  }

  /** The bytes are gone. */
  async forget(doomed: readonly Doomed[]): Promise<void> {
    const scope = ofAllTenants(this.#db);
    const those = `(SELECT value ->> 'tenant', value ->> 'user', value ->> 'id' FROM json_each(?1))`;
    const json = JSON.stringify(doomed);
    await scope.batch([
      scope.statement(`DELETE FROM files WHERE (tenant, user, id) IN ${those}`, json),
      scope.statement(`DELETE FROM file_uses WHERE (tenant, user, file) IN ${those}`, json),
    ]);
  }
}

function dayOf(unix_s: number): number {
  return Math.floor(unix_s / DAY_S);
}

/** The files that a row of history carries and that are here; `sent`: by the upstream. */
function usesOf(row: HistoryRow) {
  const { id: message, conversation, timestamp } = row;
  const use = { message, conversation, timestamp };
  if (row.type === 'message') return (row.attachments ?? []).map(({ id }) => ({ ...use, id, sent: false }));
  const { id, filename, mimetype, size, url } = row;
  return url === '' ? [{ ...use, id, sent: true, filename, mimetype, size }] : [];
}

import type { PlacedRow } from '../channel/history.ts';
import type { ConversationChange, Deletion, Unrecorded } from '../channel/recording.ts';
import type { Owner } from '../protocol/identity.ts';
import type { Files } from './files.ts';
import { ofTenant, type Scope } from './scope.ts';

/** A value of D1 holds 2 MB: many small rows travel as one list, a large one by itself. */
const SMALL_CHARS = 100_000;
const LIST_CHARS = 250_000;

/** Messages that are deleted at once: each is a change of the search as well. */
const PORTION = 500;

const USER = `INSERT INTO users (tenant, user, name) VALUES (?1, ?2, ?3)
  ON CONFLICT (tenant, user) DO UPDATE SET name = excluded.name WHERE excluded.name NOT IN ('', name)`;

/** What is late for a deletion stays away; an older state of a row never replaces a newer one (never REPLACE: see schema.sql). */
const putRows = (source: string): string => `
  INSERT INTO messages (place, tenant, user, id, conversation, position, seq, text, row)
  SELECT (SELECT number FROM users WHERE tenant = ?1 AND user = ?2) << 32 | (value ->> 'position'),
    ?1, ?2, value ->> 'id', value ->> 'conversation', value ->> 'position', value ->> 'seq', value ->> 'text', value ->> 'row'
  FROM ${source} WHERE NOT EXISTS (
    SELECT 1 FROM deletions AS d WHERE d.tenant = ?1 AND d.user = ?2
      AND d.conversation = value ->> 'conversation' AND d.seq >= value ->> 'position')
  ON CONFLICT (tenant, user, id) DO UPDATE SET seq = excluded.seq, text = excluded.text, row = excluded.row
  WHERE excluded.seq > seq`;

const PUT_LIST = putRows('json_each(?3)');
const PUT_ONE = putRows('(SELECT ?3 AS value)');

const PUT_CONVERSATIONS = `
  INSERT INTO conversations (tenant, user, id, name, topic, created_at, updated_at, touched, seq)
  SELECT ?1, ?2, value ->> 'id', value ->> 'name', value ->> 'topic', value ->> 'created_at', value ->> 'updated_at',
    value ->> 'touched', ?4
  FROM json_each(?3) WHERE NOT EXISTS (
    SELECT 1 FROM deletions AS d WHERE d.tenant = ?1 AND d.user = ?2
      AND d.conversation = value ->> 'id' AND d.seq >= value ->> 'touched')
  ON CONFLICT (tenant, user, id) DO UPDATE SET name = coalesce(excluded.name, name), topic = coalesce(topic, excluded.topic),
    updated_at = excluded.updated_at, touched = excluded.touched, seq = excluded.seq
  WHERE excluded.seq > seq`;

const RENAME = `UPDATE conversations SET name = ?4, seq = ?5 WHERE tenant = ?1 AND user = ?2 AND id = ?3 AND seq < ?5`;

const DELETION = `INSERT INTO deletions (tenant, user, conversation, seq) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (tenant, user, conversation) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`;
const DELETE_CONVERSATION =
  'DELETE FROM conversations WHERE tenant = ?1 AND user = ?2 AND id = ?3 AND touched <= ?4';

/** What else has a person's name; their messages and files go by steps of their own. */
const PERSONAL = ['conversations', 'deletions', 'portal_conversations', 'feedback', 'api_keys', 'users'];

/** The way from a journal into D1. Everything here may be repeated, in the order of the journal (DESIGN 6). */
export class Drain {
  readonly #db: D1Database;
  readonly #files: Files;

  constructor(db: D1Database, files: Files) {
    this.#db = db;
    this.#files = files;
  }

  /** The newest entry of a journal of theirs that is in here; 0 where there is none. */
  async reached({ tenant, user }: Owner): Promise<number> {
    const all = ['messages', 'conversations', 'deletions'].map(
      (table) => `SELECT max(seq) AS seq FROM ${table} WHERE tenant = ?1 AND user = ?2`,
    );
    const newest = ofTenant(this.#db, tenant).statement(
      `SELECT max(seq) AS seq FROM (${all.join(' UNION ALL ')})`,
      user,
    );
    return (await newest.first<number | null>('seq')) ?? 0;
  }

  async put(owner: Owner, { upTo, name, deleted, rows, conversations }: Unrecorded): Promise<void> {
    const scope = ofTenant(this.#db, owner.tenant);
    for (const one of deleted) await this.#delete(scope, owner, one);
    if (rows.length === 0 && conversations.length === 0) return;
    await scope.batch([
      scope.statement(USER, owner.user, name),
      ...putting(scope, owner, rows),
      ...changing(scope, owner, conversations, upTo),
      ...this.#files.rows.recorded(
        owner,
        rows.map(({ row }) => row),
      ),
    ]);
  }

  /** Deletes what a conversation was up to `seq`. First it is out of sight, then its messages go, then what they alone used. */
  async #delete(scope: Scope, owner: Owner, { id, seq, at }: Deletion): Promise<void> {
    const { user } = owner;
    await scope.batch([
      scope.statement(DELETION, user, id, seq),
      scope.statement(DELETE_CONVERSATION, user, id, seq),
    ]);
    await this.#remove(scope, user, 'conversation = ?3 AND position <= ?4', id, seq);
    await this.#files.deleteOfConversation(owner, id, at);
  }

  /** Erases a person: everything that has their name, and their files, `strays` among them that the records do not know. */
  async erase(owner: Owner, strays: readonly string[] = []): Promise<void> {
    const { tenant, user } = owner;
    const scope = ofTenant(this.#db, tenant);
    await this.#remove(scope, user, 'true');
    await this.#files.dispose(owner, strays);
    await this.#files.deleteOfUser(owner);
    await scope.batch(
      PERSONAL.map((table) => scope.statement(`DELETE FROM ${table} WHERE tenant = ?1 AND user = ?2`, user)),
    );
  }

  async #remove(scope: Scope, user: string, where: string, ...values: unknown[]): Promise<void> {
    for (let removed = PORTION; removed === PORTION; ) {
      const { results } = await scope
        .statement(
          `DELETE FROM messages WHERE place IN (
             SELECT place FROM messages WHERE tenant = ?1 AND user = ?2 AND ${where} LIMIT ${PORTION}
           ) RETURNING place`,
          user,
          ...values,
        )
        .all();
      removed = results.length;
    }
  }
}

function putting(scope: Scope, { user }: Owner, rows: readonly PlacedRow[]): D1PreparedStatement[] {
  const small: string[] = [];
  const statements: D1PreparedStatement[] = [];
  for (const { position, row } of rows) {
    const { id, conversation, seq } = row;
    // The text stands in a column of its own, for the search.
    const text = row.type === 'message' ? row.text : row.filename;
    const rest = JSON.stringify(row.type === 'message' ? { ...row, text: '' } : row);
    const json = JSON.stringify({ id, conversation, position, seq, text, row: rest });
    if (json.length <= SMALL_CHARS) small.push(json);
    else statements.push(scope.statement(PUT_ONE, user, json));
  }
  for (const list of lists(small)) statements.push(scope.statement(PUT_LIST, user, list));
  return statements;
}

function changing(
  scope: Scope,
  { user }: Owner,
  changes: readonly ConversationChange[],
  seq: number,
): D1PreparedStatement[] {
  const lived: string[] = [];
  const renamed: D1PreparedStatement[] = [];
  for (const { id, name, topic, lived: life } of changes) {
    if (life) lived.push(JSON.stringify({ id, name: name || null, topic: topic || null, ...life }));
    else if (name) renamed.push(scope.statement(RENAME, user, id, name, seq));
  }
  return [...lists(lived).map((list) => scope.statement(PUT_CONVERSATIONS, user, list, seq)), ...renamed];
}

/** JSON arrays of a bounded size. */
function lists(items: readonly string[]): string[] {
  const found: string[] = [];
  let open: string[] = [];
  let size = 0;
  for (const item of items) {
    if (open.length > 0 && size + item.length > LIST_CHARS) {
      found.push(`[${open.join(',')}]`);
      open = [];
      size = 0;
    }
    open.push(item);
    size += item.length;
  }
  if (open.length > 0) found.push(`[${open.join(',')}]`);
  return found;
}

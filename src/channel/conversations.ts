import { StarwireError } from '../protocol/errors.ts';
import type { ConversationFrame } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { closePrompt, stop } from './turn-life.ts';

/**
 * What a user does to a conversation as a whole. It needs no beginning: the first message that names it makes it, without a
 * frame of its own.
 */
export class Conversations {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** What the journal knows of a conversation; the records may know more of one that is `unknown`. */
  standing(id: string): 'here' | 'deleted' | 'unknown' {
    const { journal, ports } = this.#core;
    if (!journal.exists) return 'unknown';
    const [found] = ports.sql.all('SELECT 1 FROM events WHERE conversation = ? LIMIT 1', id);
    if (found) return 'here';
    return this.deletedAt(id) > 0 ? 'deleted' : 'unknown';
  }

  /** The entry that deleted a conversation last, as far as the journal goes back; 0 where there is none. */
  deletedAt(id: string): number {
    const { journal, ports } = this.#core;
    if (!journal.exists) return 0;
    const [found] = ports.sql.all<{ seq: number | null }>(
      "SELECT max(seq) AS seq FROM events WHERE id = ? AND type = 'conversation' AND conversation IS NULL",
      id,
    );
    return found?.seq ?? 0;
  }

  /** `created_at` in Unix seconds, as the records will have it. */
  create(title: string): { id: string; created_at: number } {
    const { journal, ports } = this.#core;
    const { id, seq } = this.#say(ports.newId('conv'), 'created', title);
    return { id, created_at: (journal.timeOf(seq) ?? 0) / 1000 };
  }

  /** Throws `not_found` where it is known to be gone; that it ever was is the caller's to know. */
  rename(id: string, title: string): ConversationFrame {
    this.#require(id);
    return this.#say(id, 'renamed', title);
  }

  #say(id: string, status: 'created' | 'renamed', title: string): ConversationFrame {
    const core = this.#core;
    return core.commit(() =>
      core.emit<ConversationFrame>(
        { type: 'conversation', id, status, ...(title === '' ? {} : { title }) },
        id,
      ),
    ).value;
  }

  /** Takes a conversation away: what is open in it ends, and its entries lose their words. Throws `not_found`. */
  delete(id: string): ConversationFrame {
    const core = this.#core;
    this.#require(id);
    return core.commit(() => {
      for (const open of [...core.turns.open])
        if (open.state.conversation === id) stop(core, open, 'cancelled');
      for (const { frame } of [...core.prompts.open])
        if (frame.conversation === id) closePrompt(core, frame.prompt, 'cancelled');
      forget(core, id);
      return core.emit<ConversationFrame>({ type: 'conversation', id, status: 'deleted' });
    }).value;
  }

  #require(id: string): void {
    if (this.standing(id) === 'deleted')
      throw new StarwireError('not_found', 'there is no such conversation');
  }
}

/**
 * Nothing that was said in the conversation is left in the journal, and no `seq` is missing: an entry becomes another word
 * of the deletion. That a turn or a prompt is over is still told, without why, to clients that were away.
 */
function forget({ ports: { sql }, journal, tables, recalled }: Core, id: string): void {
  tables.make('disposals');
  sql.run(
    `INSERT OR IGNORE INTO disposals (file)
     SELECT id FROM events WHERE conversation = ? AND type = 'file' AND frame ->> 'url' = '' AND seq > ?`,
    id,
    journal.recorded,
  );
  if (tables.has('blobs'))
    sql.run(
      "DELETE FROM blobs WHERE id IN (SELECT id FROM events WHERE conversation = ? AND type = 'file')",
      id,
    );
  sql.run(
    `UPDATE events SET conversation = NULL, frame = json_remove(frame, '$.error', '$.value')
     WHERE conversation = ? AND type IN ('turn', 'prompt_closed')`,
    id,
  );
  sql.run(
    `UPDATE events SET type = 'conversation', id = ?1, conversation = NULL,
       frame = json_object('type', 'conversation', 'seq', seq, 'id', ?1, 'status', 'deleted'), bytes = length(?1) + 64
     WHERE conversation = ?1`,
    id,
  );
  if (tables.has('turns'))
    sql.run("UPDATE turns SET state = json_remove(state, '$.reply') WHERE state ->> 'conversation' = ?", id);
  if (tables.has('sends')) sql.run("UPDATE sends SET content = NULL WHERE result ->> 'conversation' = ?", id);
  recalled.drop(id);
}

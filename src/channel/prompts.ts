import type { PromptFrame } from '../protocol/server-frames.ts';
import type { Sql } from './ports.ts';
import type { Tables } from './tables.ts';

export interface OpenPrompt {
  frame: PromptFrame;
  /** Unix ms. */
  expires_at: number;
}

/** The prompts of one channel: open ones in memory and storage, closed ones in storage for a while. */
export class Prompts {
  readonly #sql: Sql;
  readonly #tables: Tables;
  readonly #open = new Map<string, OpenPrompt>();

  constructor(sql: Sql, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
    if (!tables.has('prompts')) return;
    const rows = sql.all<{ frame: string; expires_at: number }>(
      'SELECT frame, expires_at FROM prompts WHERE open = 1 ORDER BY at',
    );
    for (const { frame, expires_at } of rows) {
      const parsed: PromptFrame = JSON.parse(frame);
      this.#open.set(parsed.prompt, { frame: parsed, expires_at });
    }
  }

  get open(): Iterable<OpenPrompt> {
    return this.#open.values();
  }

  get size(): number {
    return this.#open.size;
  }

  get(prompt: string): OpenPrompt | undefined {
    return this.#open.get(prompt);
  }

  /** Whether there ever was such a prompt, as far as is remembered. */
  known(prompt: string): boolean {
    if (this.#open.has(prompt)) return true;
    return (
      this.#tables.has('prompts') &&
      this.#sql.all('SELECT 1 FROM prompts WHERE prompt = ?', prompt).length > 0
    );
  }

  /** Stores an open prompt, inside a transaction. */
  add(frame: PromptFrame, expires_at: number, now: number): void {
    this.#tables.make('prompts');
    this.#sql.run(
      'INSERT INTO prompts (prompt, open, frame, expires_at, at) VALUES (?, 1, ?, ?, ?)',
      frame.prompt,
      JSON.stringify(frame),
      expires_at,
      now,
    );
    this.#open.set(frame.prompt, { frame, expires_at });
  }

  /** Closes a prompt, inside a transaction. */
  close(prompt: string, now: number): void {
    this.#sql.run("UPDATE prompts SET open = 0, frame = '', at = ? WHERE prompt = ?", now, prompt);
    this.#open.delete(prompt);
  }
}

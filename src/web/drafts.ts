import { readRecord, writeLocal } from './storage.ts';

const isText = (value: unknown): value is string => typeof value === 'string';
/** The oldest give way. */
const KEPT = 50;

/** What was begun and not sent, one text for each conversation. */
export class Drafts {
  readonly #key: string;

  constructor(user: string) {
    this.#key = `starwire.drafts.${user}`;
  }

  get(conversation: string): string {
    return readRecord(this.#key, isText)[conversation] ?? '';
  }

  set(conversation: string, text: string): void {
    const { [conversation]: old, ...others } = readRecord(this.#key, isText);
    const next = text === '' ? others : { ...others, [conversation]: text };
    const kept = Object.entries(next).slice(-KEPT);
    writeLocal(this.#key, kept.length === 0 ? undefined : JSON.stringify(Object.fromEntries(kept)));
  }
}

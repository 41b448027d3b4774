import type { ActionCommand, AnswerCommand, MessageCommand } from '../protocol/client-frames.ts';
import type { AttachmentView } from '../protocol/server-frames.ts';
import type { SendError } from './state.ts';

/** What waits for the server's word; resent after every reconnect under the same `client_id` (P-WS-5). */
export type Send = MessageCommand | ActionCommand | AnswerCommand;

export interface OutboxEntry {
  send: Send;
  /** Unix seconds. */
  at: number;
  /** Refused for good; stays until it is retried or discarded. */
  refused?: SendError;
  /** What the attachments of a message look like. */
  files?: readonly AttachmentView[];
}

/** Where entries outlive a reload of the tab. */
export interface OutboxStorage {
  load(): string | null;
  save(text: string): void;
}

/** In `sessionStorage`, one tab's own: it survives a reload, and no two tabs send the same entries. */
export function webOutbox(
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  key: string,
): OutboxStorage {
  return {
    load: () => storage.getItem(key),
    save: (text) => (text === '[]' ? storage.removeItem(key) : storage.setItem(key, text)),
  };
}

/** Sends in their order, each until the server has taken or refused it. */
export class Outbox {
  readonly #storage: OutboxStorage | undefined;
  readonly #entries = new Map<string, OutboxEntry>();

  constructor(storage?: OutboxStorage) {
    this.#storage = storage;
    for (const entry of restore(storage)) this.#entries.set(entry.send.client_id, entry);
  }

  get entries(): readonly OutboxEntry[] {
    return [...this.#entries.values()];
  }

  /** Those to be sent, oldest first. */
  get waiting(): readonly Send[] {
    return this.entries.filter(({ refused }) => !refused).map(({ send }) => send);
  }

  get(client_id: string): OutboxEntry | undefined {
    return this.#entries.get(client_id);
  }

  put(entry: OutboxEntry): void {
    this.#entries.set(entry.send.client_id, entry);
    this.#save();
  }

  /** Returns whether there was such an entry. */
  remove(client_id: string): boolean {
    const had = this.#entries.delete(client_id);
    if (had) this.#save();
    return had;
  }

  #save(): void {
    try {
      this.#storage?.save(JSON.stringify(this.entries));
    } catch {
      // Storage that is full or forbidden costs only the survival of a reload.
    }
  }
}

function restore(storage: OutboxStorage | undefined): OutboxEntry[] {
  try {
    const parsed: unknown = JSON.parse(storage?.load() ?? '[]');
    return Array.isArray(parsed) ? parsed.filter(isEntry) : [];
  } catch {
    return [];
  }
}

/** Storage belongs to the page's origin, but an older version of this client may have written it. */
function isEntry(value: unknown): value is OutboxEntry {
  if (typeof value !== 'object' || value === null || !('send' in value) || !('at' in value)) return false;
  const { send, at } = value;
  if (typeof at !== 'number' || typeof send !== 'object' || send === null) return false;
  if (!('type' in send) || !('client_id' in send) || typeof send.client_id !== 'string') return false;
  const has = (name: string): boolean =>
    typeof Object.getOwnPropertyDescriptor(send, name)?.value === 'string';
  if (send.type === 'message') return has('text');
  if (send.type === 'action') return has('message') && has('custom_id');
  return send.type === 'answer' && has('prompt');
}

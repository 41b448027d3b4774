import { signal } from '@preact/signals';
import { type Api, type Conversation, HttpError, type StarwireClient } from '../client/index.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';

const PAGE = 50;
/** Pauses between attempts; after the last one the reader is asked. */
const RETRY_MS = [500, 2_000, 5_000];

export type ReadingState = 'idle' | 'loading' | 'failed' | 'missing';

/** Reads the history of the conversation that is shown, page by page. */
export class History {
  readonly state = signal<ReadingState>('idle');
  readonly #api: Api;
  readonly #client: StarwireClient;
  /** Conversations whose newest page is known; what happened since has come by the socket. */
  readonly #current = new Set<string>();
  #reading = 0;

  constructor(api: Api, client: StarwireClient) {
    this.#api = api;
    this.#client = client;
  }

  /** What was read may have holes from here on. */
  outdate(): void {
    this.#current.clear();
  }

  /** There is nothing to be read: the conversation begins here. */
  begin(conversation: string): void {
    this.#current.add(conversation);
    this.#client.history(conversation, { messages: [], next: null });
    this.stop();
  }

  /** The conversation has changed, or nothing is to be shown any more. */
  stop(): void {
    this.#reading += 1;
    this.state.value = 'idle';
  }

  /** Reads the newest page, unless it is known. */
  async newest(conversation: string): Promise<void> {
    this.stop();
    if (!this.#current.has(conversation)) await this.#read(conversation, undefined);
  }

  /** Reads the page before what is shown. Returns whether there was one. */
  async older({ id, before }: Conversation): Promise<boolean> {
    if (before === null || this.state.peek() === 'loading') return false;
    return this.#read(id, before);
  }

  /** A later call makes an earlier one void. */
  async #read(conversation: string, before: number | undefined): Promise<boolean> {
    this.#reading += 1;
    const reading = this.#reading;
    this.state.value = 'loading';
    for (let attempt = 0; ; attempt += 1) {
      const end = await this.#try(conversation, before, reading);
      if (reading !== this.#reading) return false;
      const pause_ms = RETRY_MS[attempt];
      if (end !== 'failed' || pause_ms === undefined) {
        this.state.value = end;
        return end === 'idle';
      }
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
      if (reading !== this.#reading) return false;
    }
  }

  async #try(conversation: string, before: number | undefined, reading: number): Promise<ReadingState> {
    try {
      const page = await this.#api.history(conversation, PAGE, before);
      if (reading !== this.#reading) return 'idle';
      if (before === undefined) this.#current.add(conversation);
      this.#client.history(conversation, page, before !== undefined);
      return 'idle';
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 404) return 'failed';
      if (conversation !== DEFAULT_CONVERSATION) return 'missing';
      // Everybody has this one, from their first message on.
      if (reading === this.#reading) this.begin(conversation);
      return 'idle';
    }
  }
}

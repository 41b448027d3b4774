import { type Api, readJson } from './api.ts';
import { errorFrom, StarwireError } from './errors.ts';
import {
  type Button,
  base64,
  type Failure,
  type Prompt,
  type ReplyEvent,
  type Result,
  type Tool,
  type Usage,
} from './events.ts';
import { Lines } from './lines.ts';
import { retrying } from './retry.ts';

/** Which turn is replied to, and where. */
export interface TurnAddress {
  /** `webchat:{user}` or `sse:{request}`. */
  channel: string;
  turn: string;
  tenant?: string;
  /** What is said goes behind what is there already, whoever said that. Otherwise it is the turn's text from its beginning. */
  continues?: boolean;
}

/** Who has to know which streams are open. */
export interface OpenStreams {
  add(stream: TurnStream): void;
  remove(stream: TurnStream): void;
}

/**
 * One reply, as it comes into being, over one NDJSON request (P-UP-4). Where the connection breaks, the same lines are sent
 * again as the same request of the same producer: Starwire passes over those that it has (P-UP-7). A process that was killed
 * says the turn again from its beginning, in a stream of its own: text carries its offset, the newer stream fences the older
 * one off, and `done` says what the whole text is.
 */
export class TurnStream {
  readonly channel: string;
  readonly turn: string;
  readonly #api: Api;
  readonly #address: { channel: string; turn: string; tenant?: string };
  readonly #abort = new AbortController();
  readonly #lines = new Lines();
  readonly #questions = new Map<string, PromiseWithResolvers<unknown>>();
  readonly #open: OpenStreams;
  readonly #continues: boolean;
  /** Time orders the lives of a reply. */
  #epoch = Date.now();
  #text = '';
  #reasoning = 0;
  /** Text has come since the reply was last said whole. */
  #streamed = false;
  #replied = false;
  readonly #outcome = Promise.withResolvers<Result>();
  #failure: { error: unknown } | undefined;

  constructor(api: Api, { channel, turn, tenant, continues = false }: TurnAddress, open: OpenStreams) {
    this.#api = api;
    this.#open = open;
    this.channel = channel;
    this.turn = turn;
    this.#address = { channel, turn, ...(tenant === undefined ? {} : { tenant }) };
    this.#continues = continues;
    // Nobody may be waiting for the end when it fails.
    this.#outcome.promise.catch(() => undefined);
  }

  /** Aborted when the turn is cancelled: give it to the model. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether anything was written. */
  get begun(): boolean {
    return this.#lines.length > 0;
  }

  get ended(): boolean {
    return this.#lines.ended;
  }

  /** Adds text. Resolves when there is room for more: await it, and the model is slowed to the network's pace. */
  text(text: string): Promise<void> {
    if (text === '') return Promise.resolve();
    const offset = this.#text.length;
    this.#text += text;
    this.#streamed = true;
    return this.#event({ kind: 'chunk', text, ...this.#at(offset) });
  }

  /** Adds to what the model thinks before it speaks. */
  reasoning(text: string): Promise<void> {
    if (text === '') return Promise.resolve();
    const offset = this.#reasoning;
    this.#reasoning += text.length;
    return this.#event({ kind: 'chunk', reasoning: true, text, ...this.#at(offset) });
  }

  #at(offset: number): { offset?: number } {
    return this.#continues ? {} : { offset };
  }

  /** Shows a tool at work; the same `tool` again tells how it ended. */
  tool(tool: Tool): Promise<void> {
    return this.#event({ kind: 'tool', ...tool });
  }

  /** Asks the user something; resolves with the prompt's id. Its answer is delivered as `answer`. */
  async prompt(prompt: Prompt): Promise<string> {
    const id = prompt.prompt ?? newPrompt();
    await this.#event({ kind: 'prompt', ...prompt, prompt: id });
    return id;
  }

  /** Asks, and waits for the answer, which must come to the handler of this very process. */
  async ask(prompt: Prompt): Promise<unknown> {
    const id = prompt.prompt ?? newPrompt();
    const answer = Promise.withResolvers<unknown>();
    this.#questions.set(id, answer);
    try {
      const [value] = await Promise.all([answer.promise, this.prompt({ ...prompt, prompt: id })]);
      return value;
    } finally {
      this.#questions.delete(id);
    }
  }

  /** Hands an answer to whoever asked here; says whether somebody did. */
  answer(prompt: string, value: unknown): boolean {
    const question = this.#questions.get(prompt);
    question?.resolve(value);
    return question !== undefined;
  }

  /** Says the reply whole, in place of its text so far; it may have buttons. */
  message(text: string, { buttons }: { buttons?: readonly Button[] } = {}): Promise<void> {
    if (!this.#replied) {
      this.#text = text;
      this.#replied = true;
      this.#streamed = false;
    }
    return this.#event({ kind: 'message', text, ...(buttons ? { buttons } : {}) });
  }

  file(data: Uint8Array, filename: string, mimetype = 'application/octet-stream'): Promise<void> {
    return this.#event({ kind: 'file', filename, mimetype, data: base64(data) });
  }

  /** Ends the turn. Resolves when all of it is durable; throws what Starwire refused of it. */
  done(fields: { text?: string; usage?: Usage; finish_reason?: string } = {}): Promise<Result> {
    // What others or an earlier life of this bot said before it stays within this text, whatever they said.
    const text = this.#streamed && !this.#continues ? { text: this.#text } : {};
    return this.#end({ kind: 'done', ...text, ...fields });
  }

  /** Ends the turn as failed; what was said is kept. */
  fail(failure: Failure = {}): Promise<Result> {
    return this.#end({ kind: 'error', ...failure });
  }

  /** Writes everything that `parts` gives, and ends the turn. */
  async pipe(parts: AsyncIterable<string | ReplyEvent> | Iterable<string | ReplyEvent>): Promise<Result> {
    for await (const part of parts) await this.write(part);
    return this.ended ? this.#outcome.promise : this.done();
  }

  /** Writes a piece of text, or any event. */
  async write(part: string | ReplyEvent): Promise<void> {
    if (typeof part === 'string') await this.text(part);
    else if (part.kind === 'done') await this.done(part);
    else if (part.kind === 'error') await this.fail(part);
    else await this.#event(part);
  }

  /** Gives the stream up: the turn was cancelled, or whoever wrote it is gone. Nothing more is sent. */
  abort(reason = new StarwireError('cancelled', 'the turn was cancelled')): void {
    this.#abort.abort(reason);
    this.#failed(reason);
  }

  async #event(event: ReplyEvent): Promise<void> {
    this.#append(event);
    await this.#lines.room();
    this.#requireSound();
  }

  async #end(event: ReplyEvent): Promise<Result> {
    this.#append(event);
    this.#lines.end();
    return this.#outcome.promise;
  }

  #append(event: ReplyEvent): void {
    this.#requireSound();
    if (this.ended) throw new StarwireError('turn_finished', 'this reply was ended before');
    this.#lines.add(`${JSON.stringify({ ...this.#address, ...event })}\n`);
    if (this.#lines.length === 1) this.#deliver();
  }

  #requireSound(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #deliver(): void {
    this.#open.add(this);
    const { retry_ms } = this.#api;
    retrying(() => this.#attempt(), { retry_ms, signal: this.signal }).then(
      (result) => {
        this.#open.remove(this);
        this.#outcome.resolve(result);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  /** Told to whoever writes, ends or waits for an answer. */
  #failed(error: unknown): void {
    this.#failure ??= { error };
    this.#outcome.reject(error);
    for (const { reject } of this.#questions.values()) reject(error);
    this.#open.remove(this);
    this.#lines.end();
  }

  async #attempt(): Promise<Result> {
    const headers = {
      'content-type': 'application/x-ndjson',
      'producer-id': `turn ${this.turn}`,
      'producer-epoch': String(this.#epoch),
      'producer-seq': '0',
    };
    const duplex = 'half' as const;
    const init = { method: 'POST', headers, body: this.#lines.stream(), signal: this.signal, duplex };
    let response: Response;
    try {
      response = await this.#api.attempt('/outbound', init);
    } catch (error) {
      const fence = error instanceof StarwireError ? error.details.producer_epoch : undefined;
      // An epoch of the future is no newer life of this reply: some clock is wrong.
      if (fence === undefined || fence < this.#epoch || fence <= Date.now()) throw error;
      this.#epoch = fence + 1;
      return this.#attempt();
    }
    const { results } = await readJson<{ results: Result[] }>(response);
    for (const { error } of results) if (error && !isRepeated(error)) throw errorFrom(error, 200);
    const last = results.at(-1);
    if (!this.ended || !last) throw new StarwireError('internal', 'Starwire stopped reading too early');
    return last;
  }
}

/** A prompt that is there already: an earlier life of this reply asked it. */
function isRepeated({ code, field }: { code: string; field?: string }): boolean {
  return code === 'conflict' && field === 'prompt';
}

/** Unguessable, and short enough for an id of the protocol. */
function newPrompt(): string {
  return `prompt_${crypto.randomUUID()}`;
}

import { readAtMost } from '../../protocol/bounded-text.ts';
import type { Usage } from '../../protocol/server-frames.ts';
import { clip } from '../../protocol/text.ts';
import { toolCallPieces, withParts } from '../../protocol/tool-calls.ts';
import type { ReplyEvent } from '../upstream.ts';
import { type Delta, readDelta } from './delta.ts';
import { bridgeError, errorText } from './errors.ts';
import { sseEvents } from './sse.ts';
import { ToolCallParts } from './tool-call-parts.ts';
import { ToolProgress, toolEvents } from './tools.ts';
import type { Watch } from './watch.ts';

/** Bytes of an answer that comes at once. */
const ANSWER_BYTES = 8_388_608;
const FINISH_CHARS = 64;

/** Reads one answer (P-BR-2, P-BR-3). */
export class Reply {
  /** Tool calls are for the client to execute; where not, a person is shown them. */
  readonly #executed: boolean;
  readonly #parts: ToolCallParts;
  readonly #progress = new ToolProgress();
  #calls: ReturnType<typeof withParts> = new Map();
  #usage: Usage | undefined;
  #finish: string | undefined;
  #done = false;
  #said = false;

  constructor(executed: boolean, toolCallChars: number) {
    this.#executed = executed;
    this.#parts = new ToolCallParts(toolCallChars);
  }

  /** Throws an UpstreamError for whatever is no answer, or not all of it; what came before has been given by then. */
  async *read(response: Response, watch: Watch, silence_ms: number): AsyncGenerator<ReplyEvent> {
    const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === 'application/json') {
      const { text, whole } = await watch.within(silence_ms, readAtMost(response.body, ANSWER_BYTES));
      if (!whole) throw bridgeError('upstream_stream', 'The model service gave an answer that is too large.');
      yield* this.#take(parse(text));
    } else if (type === 'text/event-stream' && response.body) {
      yield* this.#stream(response.body, watch, silence_ms);
    } else {
      throw bridgeError(
        'upstream_http',
        `The model service answered with ${type ?? 'no content type'} instead of a stream.`,
      );
    }
    yield* this.#end();
  }

  async *#stream(
    body: ReadableStream<Uint8Array>,
    watch: Watch,
    silence_ms: number,
  ): AsyncGenerator<ReplyEvent> {
    const events = sseEvents(body);
    for (;;) {
      const { value, done } = await watch.within(silence_ms, events.next());
      if (done) return;
      for (const { event = 'message', data } of value) {
        if (data === '[DONE]') {
          this.#done = true;
          return;
        }
        if (data !== '') yield* this.#event(event, data);
      }
    }
  }

  /** Events under names that we do not know are the server's own. */
  *#event(name: string, data: string): Generator<ReplyEvent> {
    if (name === 'message') yield* this.#take(parse(data));
    else if (name === 'hermes.tool.progress') yield* this.#progress.events(parse(data));
    else if (name === 'error') throw bridgeError('upstream_stream', saidIn(data));
  }

  *#take(input: unknown): Generator<ReplyEvent> {
    const delta = readDelta(input);
    if (!delta) throw bridgeError('upstream_stream', 'The model service sent a chunk that cannot be read.');
    if (delta.error !== undefined)
      throw bridgeError('upstream_stream', errorText(delta.error) || UNKNOWN_ERROR);
    yield* this.#events(delta);
    this.#usage = delta.usage ?? this.#usage;
    this.#finish = delta.finish_reason ?? this.#finish;
  }

  *#events({ text, reasoning, tool_calls }: Delta): Generator<ReplyEvent> {
    if (reasoning !== '') yield { kind: 'chunk', text: reasoning, reasoning: true };
    if (text !== '') yield { kind: 'chunk', text };
    this.#said ||= text !== '' || reasoning !== '' || tool_calls.length > 0;
    const parts = tool_calls.map((part) => this.#parts.placed(part));
    if (this.#executed) for (const piece of toolCallPieces(parts)) yield { kind: 'delta', tool_calls: piece };
    else this.#calls = withParts(this.#calls, parts);
  }

  *#end(): Generator<ReplyEvent> {
    // Routers end a broken generation with a finish reason of its own.
    if (this.#finish === 'error' || (this.#finish === undefined && !this.#done)) {
      throw bridgeError('upstream_stream', 'The reply ended before it was complete.');
    }
    if (!this.#said) throw bridgeError('upstream_empty', 'The model service gave an empty answer.');
    yield* toolEvents(this.#calls);
    const finish_reason = clip(this.#finish ?? 'stop', FINISH_CHARS);
    yield { kind: 'done', finish_reason, ...(this.#usage ? { usage: this.#usage } : {}) };
  }
}

const UNKNOWN_ERROR = 'The model service reported an error.';

function saidIn(data: string): string {
  try {
    return errorText(JSON.parse(data)) || UNKNOWN_ERROR;
  } catch {
    return data;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bridgeError('upstream_stream', 'The model service sent something that is not JSON.');
  }
}

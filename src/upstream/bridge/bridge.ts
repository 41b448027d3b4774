import type { Upstream } from '../../config.ts';
import type { Delivery } from '../../protocol/delivery.ts';
import type { Usage } from '../../protocol/server-frames.ts';
import { type Call, type CallOptions, type ReplyEvent, UpstreamError } from '../upstream.ts';
import { CONTEXT_ROWS, contextOf } from './context.ts';
import { type Delta, readDelta } from './delta.ts';
import { bridgeError, errorText, responseError } from './errors.ts';
import { EventTooLarge, sseEvents } from './sse.ts';
import { ToolCalls, ToolProgress } from './tools.ts';

interface BridgeLimits {
  bridge_headers_ms: number;
  bridge_silence_ms: number;
}

/** The bridge to an OpenAI-compatible API (section 5.4). A `/v1` body passes as it is; a message becomes a conversation. */
export function bridge(upstream: Upstream, limits: BridgeLimits): Call {
  return async function* (delivery, options) {
    // What has been cancelled is broken off; there is nothing to tell such an upstream.
    if (delivery.type === 'cancel') return;
    const watch = new Watch(options.signal);
    let begun = false;
    try {
      const response = await watch.within(
        limits.bridge_headers_ms,
        post(upstream, delivery, options, watch.signal),
      );
      if (!response.ok) throw await watch.within(limits.bridge_headers_ms, responseError(response));
      begun = true;
      options.accepted();
      yield* new Reply(delivery).read(response, watch, limits.bridge_silence_ms);
    } catch (error) {
      throw options.signal.aborted ? error : told(error, watch, begun);
    } finally {
      watch.end();
    }
  };
}

async function post(
  upstream: Upstream,
  delivery: Delivery,
  options: CallOptions,
  signal: AbortSignal,
): Promise<Response> {
  const { url = '', api_key } = upstream;
  return fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'user-agent': 'Starwire',
      'x-starwire-session': encodeURIComponent(delivery.conversation),
      ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
    },
    body: JSON.stringify(await bodyOf(upstream, delivery, options)),
    redirect: 'manual',
    signal,
  });
}

async function bodyOf(upstream: Upstream, delivery: Delivery, { history }: CallOptions): Promise<object> {
  const { request, message_id, text } = delivery;
  if (delivery.type === 'completion' && typeof request === 'object' && request !== null) {
    const asked = 'model' in request ? request.model : undefined;
    // Who wants the whole at once is told the usage with it; streams tell it only to those who ask.
    const whole = !('stream' in request && request.stream === true);
    return {
      ...request,
      model: upstream.model ?? asked ?? DEFAULT_MODEL,
      stream: true,
      ...(whole ? { stream_options: { include_usage: true } } : {}),
    };
  }
  return {
    model: upstream.model ?? DEFAULT_MODEL,
    stream: true,
    stream_options: { include_usage: true },
    messages: contextOf(await history(CONTEXT_ROWS), message_id, text),
  };
}

/** What servers with one model expect where nobody names one. */
const DEFAULT_MODEL = 'default';

/** Reads one answer. */
class Reply {
  readonly #delivery: Delivery;
  readonly #calls = new ToolCalls();
  readonly #progress = new ToolProgress();
  #usage: Usage | undefined;
  #finish: string | undefined;
  #done = false;
  #said = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  async *read(response: Response, watch: Watch, silence_ms: number): AsyncGenerator<ReplyEvent> {
    const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === 'application/json')
      yield* this.#take(parse(await watch.within(silence_ms, response.text())));
    else if (type === 'text/event-stream' && response.body)
      yield* this.#stream(response.body, watch, silence_ms);
    else {
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
      if (value.data === '[DONE]') {
        this.#done = true;
        return;
      }
      if (value.data === '') continue;
      if (value.event === 'hermes.tool.progress') {
        const event = this.#progress.event(parse(value.data));
        if (event) yield event;
      } else yield* this.#take(parse(value.data), value.event);
    }
  }

  *#take(input: unknown, name?: string): Generator<ReplyEvent> {
    const delta = readDelta(input);
    if (!delta) {
      // Events under names that we do not know are the server's own.
      if (name !== undefined && name !== 'message') return;
      throw bridgeError('upstream_stream', 'The model service sent a chunk that cannot be read.');
    }
    if (delta.error !== undefined || name === 'error') {
      throw bridgeError(
        'upstream_stream',
        errorText(delta.error ?? input) ?? 'The model service reported an error.',
      );
    }
    yield* this.#events(delta);
    this.#usage = delta.usage ?? this.#usage;
    this.#finish = delta.finish_reason ?? this.#finish;
  }

  *#events({ text, reasoning, tool_calls }: Delta): Generator<ReplyEvent> {
    if (reasoning !== '') yield { kind: 'chunk', text: reasoning, reasoning: true };
    if (text !== '') yield { kind: 'chunk', text };
    this.#said ||= text !== '' || reasoning !== '';
    if (tool_calls.length === 0) return;
    this.#said = true;
    if (this.#delivery.type === 'completion') yield { kind: 'delta', tool_calls };
    else this.#calls.add(tool_calls);
  }

  *#end(): Generator<ReplyEvent> {
    // Routers end a broken generation with a finish reason of its own.
    if (this.#finish === 'error' || (this.#finish === undefined && !this.#done)) {
      throw bridgeError('upstream_stream', 'The reply ended before it was complete.');
    }
    if (!this.#said) throw bridgeError('upstream_empty', 'The model service gave an empty answer.');
    yield* this.#calls.events();
    const finish_reason = this.#finish ?? 'stop';
    yield { kind: 'done', finish_reason, ...(this.#usage ? { usage: this.#usage } : {}) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bridgeError('upstream_stream', 'The model service sent something that is not JSON.');
  }
}

/** Ends a call that takes too long. */
class Watch {
  readonly #timeout = new AbortController();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#timeout.signal]);
  }

  get timedOut(): boolean {
    return this.#timeout.signal.aborted;
  }

  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.end(), ms);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#timeout.abort();
  }
}

/** What broke the call, in words for the user. `begun`: the answer had begun. */
function told(error: unknown, watch: Watch, begun: boolean): unknown {
  if (error instanceof UpstreamError) return error;
  const type = begun ? 'upstream_stream' : 'upstream_unreachable';
  if (error instanceof EventTooLarge)
    return bridgeError(type, 'The model service sent an event that is too large.');
  if (watch.timedOut) return bridgeError(type, 'The model service was silent for too long.');
  return bridgeError(
    type,
    begun ? 'The connection to the model service broke.' : 'The model service could not be reached.',
  );
}

import type { Upstream } from '../../config.ts';
import type { Delivery } from '../../protocol/delivery.ts';
import type { Limits } from '../../protocol/limits.ts';
import { type Call, type CallOptions, UpstreamError } from '../upstream.ts';
import { CONTEXT_ROWS, contextOf } from './context.ts';
import { bridgeError, responseError } from './errors.ts';
import { contentOf } from './parts.ts';
import { Reply } from './reply.ts';
import { EventTooLarge } from './sse.ts';
import { Watch } from './watch.ts';

type BridgeLimits = Pick<
  Limits,
  'bridge_headers_ms' | 'bridge_silence_ms' | 'bridge_context_tokens' | 'reply_text'
>;

/** The bridge to an OpenAI-compatible API (section 5.4). A `/v1` body passes as it is; a message becomes a conversation. */
export function bridge(upstream: Upstream, limits: BridgeLimits): Call {
  return async function* (delivery, options) {
    // What has been cancelled is broken off; there is nothing to tell such an upstream.
    if (delivery.type === 'cancel') return;
    // An answer is for whoever asked, who was not the model; a turn that it began has nothing to say.
    if (delivery.type === 'answer') {
      options.accepted();
      if (options.id === delivery.turn) yield { kind: 'done' };
      return;
    }
    const body = JSON.stringify(await bodyOf(upstream, limits, delivery, options));
    const watch = new Watch(options.signal);
    let begun = false;
    try {
      const response = await watch.within(
        limits.bridge_headers_ms,
        post(upstream, sessionOf(delivery), body, watch.signal),
      );
      if (!response.ok) throw await watch.within(limits.bridge_headers_ms, responseError(response));
      begun = true;
      options.accepted();
      yield* new Reply(delivery.type === 'completion', limits.reply_text).read(
        response,
        watch,
        limits.bridge_silence_ms,
      );
    } catch (error) {
      throw options.signal.aborted ? error : told(error, watch, begun, upstream.api_key);
    } finally {
      watch.end();
    }
  };
}

/** Its headers are made here, all of them: nothing that a browser or a client presents goes on (P-BR-1). */
function post(
  { url = '', api_key }: Upstream,
  session: string,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'user-agent': 'Starwire',
      'x-starwire-session': session,
      ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
    },
    body,
    redirect: 'manual',
    signal,
  });
}

/** The conversation as it is, where a header can carry it; else percent-encoded. */
function sessionOf({ conversation }: Delivery): string {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(conversation) ? conversation : encodeURIComponent(conversation);
}

async function bodyOf(
  upstream: Upstream,
  limits: BridgeLimits,
  delivery: Delivery,
  { history, attachments = [] }: CallOptions,
): Promise<object> {
  const { request, message_id, text } = delivery;
  if (delivery.type === 'completion' && isRecord(request)) return streaming(request, upstream.model);
  return {
    model: upstream.model ?? DEFAULT_MODEL,
    stream: true,
    stream_options: { include_usage: true },
    messages: contextOf(
      await history(CONTEXT_ROWS),
      message_id,
      await contentOf(text, attachments),
      limits.bridge_context_tokens,
    ),
  };
}

/**
 * The body of a `/v1` client as it came, but for the model and for what streaming needs: whoever wants the whole at once is
 * told the usage with it, which a stream has to be asked for.
 */
function streaming(request: Record<string, unknown>, model: string | undefined): object {
  const { stream, stream_options } = request;
  return {
    ...request,
    model: model ?? request['model'] ?? DEFAULT_MODEL,
    stream: true,
    ...(stream === true
      ? {}
      : { stream_options: { ...(isRecord(stream_options) ? stream_options : {}), include_usage: true } }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What servers with one model expect where nobody names one. */
const DEFAULT_MODEL = 'default';

/** What broke the call, in words for the user. `begun`: the answer had begun. */
function told(error: unknown, watch: Watch, begun: boolean, key: string | undefined): unknown {
  if (error instanceof UpstreamError) return key === undefined ? error : without(key, error);
  const type = begun ? 'upstream_stream' : 'upstream_unreachable';
  if (error instanceof EventTooLarge)
    return bridgeError(type, 'The model service sent an event that is too large.');
  if (watch.timedOut) return bridgeError(type, 'The model service was silent for too long.');
  return bridgeError(
    type,
    begun ? 'The connection to the model service broke.' : 'The model service could not be reached.',
  );
}

/** Services repeat the key that they refuse, which need not look like one. */
function without(key: string, { turnError }: UpstreamError): UpstreamError {
  return new UpstreamError({ ...turnError, message: turnError.message.replaceAll(key, '***') });
}

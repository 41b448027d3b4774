import { Webhook } from 'standardwebhooks';
import type { Upstream } from '../config.ts';
import { boundedText } from '../protocol/bounded-text.ts';
import type { Delivery } from '../protocol/delivery.ts';
import { StarwireError } from '../protocol/errors.ts';
import { ndjsonLines } from '../protocol/ndjson.ts';
import { parseOutbound } from '../protocol/outbound.ts';
import { parseJson } from '../protocol/parse.ts';
import { bodyOf } from './bodies.ts';
import { retryAfterMs } from './retry-after.ts';
import { type Call, type CallOptions, type ReplyEvent, UpstreamError } from './upstream.ts';

/** Delivery by webhook (section 5.1): signed, redirects are failures, an answer in the response is applied as if posted. */
export function webhook(
  upstream: Upstream,
  limits: { webhook_attempt_ms: number; line_bytes: number; outbound_bytes: number },
): Call {
  return async function* (delivery, options) {
    const response = await post(upstream, delivery, options, limits.webhook_attempt_ms);
    options.accepted();
    try {
      yield* inline(response, delivery, limits);
    } catch (error) {
      throw error instanceof UpstreamError || options.signal.aborted ? error : cutOff();
    }
  };
}

/** Standard Webhooks: one signature per secret, so that the receiver may know either while they rotate. */
export function sign(secrets: readonly string[], id: string, at: Date, body: string): Record<string, string> {
  const signatures = secrets.map((secret) => webhookOf(secret).sign(id, at, body));
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  };
}

const BASE64 = /^(?:whsec_)?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The library reads base64, with or without `whsec_`; a secret that is none is taken as the key's bytes. */
function webhookOf(secret: string): Webhook {
  return BASE64.test(secret) ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}

async function post(
  { url = '', body: style, webhook_secrets }: Upstream,
  delivery: Delivery,
  { id, signal, attachments }: CallOptions,
  attempt_ms: number,
): Promise<Response> {
  // Of the files, their bytes are not for the body: functions are no JSON.
  const body = JSON.stringify(bodyOf(style, { ...delivery, attachments: [...attachments] }));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Starwire',
    ...sign(webhook_secrets, id, new Date(), body),
  };
  // The time is for the answer's headers; a streamed answer may take longer.
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), attempt_ms);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout.signal]),
    });
  } catch {
    const message = timeout.signal.aborted
      ? `The service did not answer within ${attempt_ms / 1000} s.`
      : 'The service could not be reached.';
    throw unreachable(message, true);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(response);
}

const RETRIED = new Set([408, 425, 429]);

function refusal(response: Response): UpstreamError {
  const { status } = response;
  if (RETRIED.has(status) || status >= 500)
    return unreachable(`The service answered ${status}.`, true, retryAfterMs(response));
  return new UpstreamError({
    label: 'Message refused',
    type: 'upstream_rejected',
    message: `The service answered ${status}.`,
    hint: 'The operator of this chat should look at the service.',
  });
}

function unreachable(message: string, retry: boolean, retry_after_ms?: number): UpstreamError {
  return new UpstreamError(
    {
      label: 'Service unreachable',
      type: 'upstream_unreachable',
      message,
      hint: 'Send the message again later.',
    },
    { retry, retry_after_ms },
  );
}

/** A 200 whose body is NDJSON or `{"events": […]}` (P-UP-3). Any other body is only an acknowledgement. */
async function* inline(
  response: Response,
  delivery: Delivery,
  limits: { line_bytes: number; outbound_bytes: number },
): AsyncGenerator<ReplyEvent> {
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (!response.body || (type !== 'application/x-ndjson' && type !== 'application/json')) {
    await response.body?.cancel();
    return;
  }
  if (type === 'application/x-ndjson') {
    for await (const lines of ndjsonLines(response.body, limits.line_bytes)) {
      for (const line of lines) {
        if ('error' in line) throw badReply(line.error);
        yield read(parsed(line.text), delivery);
      }
    }
    return;
  }
  const text = await boundedText(response.body, limits.outbound_bytes, 'answer').catch((error: unknown) => {
    throw badReply(error);
  });
  // Many services acknowledge with a JSON of their own: only `events` is for us.
  const body = text.trim() === '' ? undefined : parsed(text);
  if (typeof body !== 'object' || body === null || !('events' in body) || !Array.isArray(body.events)) return;
  for (const event of body.events) yield read(event, delivery);
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, 'answer');
  } catch (error) {
    throw badReply(error);
  }
}

/** An event of the answer. Its channel may be left out: it is the delivery's. */
function read(input: unknown, { channel_id, tenant }: Delivery): ReplyEvent {
  try {
    const fields = typeof input === 'object' && input !== null ? input : {};
    const { event, ...to } = parseOutbound({ channel: channel_id, tenant, ...fields });
    const here = to.tenant === tenant && `${to.channel.kind}:${to.channel.id}` === channel_id;
    return here ? event : { ...event, to };
  } catch (error) {
    throw badReply(error);
  }
}

function badReply(error: unknown): UpstreamError {
  if (!(error instanceof StarwireError)) throw error;
  return brokenAnswer(`The service's answer cannot be read: ${error.message}.`.slice(0, 500));
}

/** It had accepted: another attempt could say everything twice. */
function cutOff(): UpstreamError {
  return brokenAnswer("The service's answer broke off.");
}

function brokenAnswer(message: string): UpstreamError {
  return new UpstreamError({
    label: 'Broken answer',
    type: 'upstream_stream',
    message,
    hint: 'The operator of this chat should look at the service.',
  });
}

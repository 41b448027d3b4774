import { Hono } from 'hono';
import { sha256 } from '../auth/digest.ts';
import type { Upstream } from '../config.ts';
import { openaiState, openaiUsage } from '../dialects/openai.ts';
import { contentOf } from '../dialects/openai-whole.ts';
import { unwrap } from '../objects/outcome.ts';
import { Completion } from '../protocol/completion.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { parse, parseJson } from '../protocol/parse.ts';
import { DEFAULT_MODEL } from '../upstream/models.ts';
import { type AppEnv, type Ctx, idempotencyKey, readText, refusal, statusOf, use } from './app.ts';
import { relayOf } from './attach.ts';
import { keyHolds, requireUser } from './door.ts';
import { readEventId } from './openai-event-id.ts';
import { collect, type StreamSource, streamed } from './openai-stream.ts';

/** OpenAI-compatible API (section 4). */
export const openai = new Hono<AppEnv>();

openai.get('/models', async (c) => {
  const { tenant } = await requireUser(c);
  return c.json({ object: 'list', data: await use(c).offers.of(await upstreamOf(c, tenant)) });
});

/** The upstream of a tenant, with its secrets. */
async function upstreamOf(c: Ctx, tenant: string): Promise<Upstream> {
  const { config, tenants } = use(c);
  const own = await tenants.upstreamOf(tenant);
  return own ? tenants.open(tenant, own) : config.upstream;
}

/** Where it is configured what is offered, nothing else is asked for. */
async function requireOffered(c: Ctx, tenant: string, model: string | null | undefined): Promise<void> {
  const { config, tenants } = use(c);
  const { models } = (await tenants.upstreamOf(tenant)) ?? config.upstream;
  if (typeof model === 'string' && models.length > 0 && !models.some(({ id }) => id === model))
    throw new UnknownModel(model);
}

class UnknownModel extends StarwireError {
  constructor(model: string) {
    super('not_found', `the model "${model}" does not exist`, { field: 'model' });
  }
}

openai.post('/chat/completions', async (c) => {
  const { source, streaming } = await begin(c, await requireUser(c));
  if (streaming) return streamed(source, reading(c));
  const { id, created, model } = source.state;
  c.header('x-request-id', id);
  const whole = await collect(source);
  const { finish_reason, usage, error, retry_after } = whole.end;
  if (error) {
    const status = statusOfFailure(error.type);
    if (status === 429) c.header('retry-after', String(retry_after ?? RETRY_AFTER_S));
    return c.json({ error: { ...error, param: null } }, status);
  }
  const { reasoning, tool_calls } = whole;
  const message = {
    role: 'assistant',
    content: contentOf(whole),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(tool_calls.size === 0 ? {} : { tool_calls: [...tool_calls.values()] }),
  };
  return c.json({
    ...{ id, object: 'chat.completion', created, model },
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: openaiUsage(usage),
  });
});

/** Reads a request and opens its stream. The body, which may be large, is not held while the stream is read. */
async function begin(c: Ctx, who: Identity): Promise<{ source: StreamSource; streaming: boolean }> {
  const { config, seal } = use(c);
  const text = await readText(c, config.limits.completion_bytes);
  const body = parse(Completion, parseJson(text));
  const key = idempotencyKey(c);
  const { tenant, user, name, avatar } = who;
  await requireOffered(c, tenant, body.model);
  // The same key is the same request, and so the same stream (P-OA-7).
  const request_id = key === undefined ? seal.newId('req') : seal.idFor('req', [tenant, user, key]);
  const stub = () => c.env.REQUEST_STREAM.getByName(request_id);
  const streaming = body.stream === true;
  const detached = c.req.header('x-starwire-detach')?.toLowerCase() === 'true';
  const request = {
    ...{ tenant, user, user_name: name, avatar, request_id },
    model: body.model ?? DEFAULT_MODEL,
    include_usage: body.stream_options?.include_usage === true,
    detach: !streaming || key !== undefined || detached,
    body: (await sha256(text)).toString('base64url'),
  };
  // As a stream: what a call takes otherwise is bounded.
  const seen = unwrap(await stub().open(request, bytesOf(text)));
  const state = openaiState({ id: request_id, ...seen });
  const attach = relayOf(c, who, 'openai');
  return { source: { stub, attach, position: { turns: new Map() }, state }, streaming };
}

/** P-OA-8: the stream goes on after `Last-Event-ID`; without one, from its start. */
openai.get('/streams/:request_id', async (c) => {
  const who = await requireUser(c);
  const { seal } = use(c);
  const id = c.req.param('request_id');
  const gone = new StarwireError('not_found', 'there is no such stream');
  if (!seal.isOurs('req', id)) throw gone;
  const stub = () => c.env.REQUEST_STREAM.getByName(id);
  const seen = await stub().streamOf(who.tenant, who.user);
  if (!seen) throw gone;
  const start = openaiState({ id, ...seen });
  const last = c.req.header('last-event-id') ?? '';
  const from = last === '' ? { position: { turns: new Map() }, state: start } : readEventId(last, start);
  if (!from)
    throw new StarwireError('bad_request', 'the Last-Event-ID is not one of this stream', {
      field: 'Last-Event-ID',
    });
  return streamed({ stub, attach: relayOf(c, who, 'openai'), ...from }, reading(c));
});

/** For how long a stream may be read: a key that is taken back ends it (P-ID-2). */
function reading(c: Ctx) {
  return { heartbeat_ms: use(c).config.limits.sse_heartbeat_ms, allowed: () => keyHolds(c) };
}

function bytesOf(text: string): ReadableStream<Uint8Array> {
  const { body } = new Response(text);
  if (!body) throw new Error('a response of text has no body');
  return body;
}

/** When to come back to an upstream that is busy and does not say. */
const RETRY_AFTER_S = 5;

/** A failure of the upstream, where no stream has begun (P-OA-4). */
function statusOfFailure(type: string) {
  if (type === 'upstream_rate_limited') return 429;
  if (type === 'expired' || type === 'upstream_silent') return 504;
  if (type === 'upstream_not_configured') return 503;
  return type === 'cancelled' ? 409 : 502;
}

/** Refusals in OpenAI's shape. */
export function openaiRefusal(error: unknown, request_id: string): Response {
  const { body, headers } = refusal(error, request_id);
  const { code, message, field } = body;
  const status = statusOf(body);
  const type =
    status === 401 || status === 403
      ? 'authentication_error'
      : status >= 500
        ? 'server_error'
        : status === 429
          ? 'rate_limit_error'
          : 'invalid_request_error';
  return Response.json(
    {
      error: {
        message,
        type,
        param: field ?? null,
        code: error instanceof UnknownModel ? 'model_not_found' : code,
      },
    },
    { status, headers: { 'x-request-id': request_id, ...headers } },
  );
}

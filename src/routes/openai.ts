import { Hono } from 'hono';
import * as v from 'valibot';
import { sha256 } from '../auth/digest.ts';
import { openaiState, openaiUsage } from '../dialects/openai.ts';
import { contentOf } from '../dialects/openai-whole.ts';
import { unwrap } from '../objects/outcome.ts';
import { StarwireError } from '../protocol/errors.ts';
import { parse, parseJson } from '../protocol/parse.ts';
import { upstreamModels } from '../upstream/bridge/models.ts';
import { type AppEnv, idempotencyKey, readText, refusal, requireUser, statusOf, use } from './app.ts';
import { relayOf } from './attach.ts';
import { readEventId } from './openai-event-id.ts';
import { collect, type StreamSource, streamed } from './openai-stream.ts';

/** OpenAI-compatible API (section 4). */
export const openai = new Hono<AppEnv>();

/** Unknown fields are accepted and passed on; these are the ones the gateway itself reads. */
const Completion = v.looseObject({
  model: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')))),
  messages: v.pipe(v.array(v.looseObject({ role: v.string() })), v.minLength(1, 'is empty')),
  stream: v.optional(v.nullable(v.boolean())),
  stream_options: v.optional(
    v.nullable(v.looseObject({ include_usage: v.optional(v.nullable(v.boolean())) })),
  ),
});

const DEFAULT_MODEL = 'starwire';

openai.get('/models', async (c) => {
  await requireUser(c);
  const { upstream } = use(c).config;
  if (upstream.mode === 'openai') return c.json({ object: 'list', data: await upstreamModels(upstream) });
  const model = {
    id: upstream.mode === 'demo' ? 'starwire-demo' : DEFAULT_MODEL,
    object: 'model',
    created: 1_767_225_600,
    owned_by: 'starwire',
  };
  return c.json({ object: 'list', data: [model] });
});

openai.post('/chat/completions', async (c) => {
  const who = await requireUser(c);
  const { config, seal } = use(c);
  const text = await readText(c, config.limits.completion_bytes);
  const body = parse(Completion, parseJson(text));
  const key = idempotencyKey(c);
  const { tenant, user, name, avatar } = who;
  // The same key is the same request, and so the same stream (P-OA-7).
  const request_id = key === undefined ? seal.newId('req') : seal.idFor('req', [tenant, user, key]);
  const stub = () => c.env.REQUEST_STREAM.getByName(request_id);
  const streaming = body.stream === true;
  const seen = unwrap(
    await stub().open({
      model: body.model ?? DEFAULT_MODEL,
      include_usage: body.stream_options?.include_usage === true,
      tenant,
      user,
      user_name: name,
      avatar,
      request_id,
      request: body,
      text: lastUserText(body.messages),
      detach: !streaming || key !== undefined || c.req.header('x-starwire-detach')?.toLowerCase() === 'true',
      body: (await sha256(text)).toString('base64url'),
    }),
  );
  const state = openaiState({ id: request_id, ...seen });
  const source: StreamSource = {
    stub,
    attach: relayOf(c, who, 'openai'),
    position: { turns: new Map() },
    state,
  };
  if (streaming) return streamed(source, config.limits.sse_heartbeat_ms);
  c.header('x-request-id', request_id);
  const whole = await collect(source);
  const { finish_reason, usage, error } = whole.end;
  if (error) return c.json({ error: { ...error, param: null } }, statusOfFailure(error.type));
  const { reasoning, tool_calls } = whole;
  const message = {
    role: 'assistant',
    content: contentOf(whole),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(tool_calls.size === 0 ? {} : { tool_calls: [...tool_calls.values()] }),
  };
  return c.json({
    id: request_id,
    object: 'chat.completion',
    created: state.created,
    model: state.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: openaiUsage(usage),
  });
});

/** P-OA-8: the stream goes on after `Last-Event-ID`; without one, from its start. */
openai.get('/streams/:request_id', async (c) => {
  const who = await requireUser(c);
  const { config, seal } = use(c);
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
  return streamed({ stub, attach: relayOf(c, who, 'openai'), ...from }, config.limits.sse_heartbeat_ms);
});

const TextPart = v.object({ type: v.literal('text'), text: v.string() });

/** What the user said last, as plain text. */
function lastUserText(messages: { role: string; [field: string]: unknown }[]): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part) => (v.is(TextPart, part) ? [part.text] : [])).join('\n');
}

/** A failure of the upstream, where no stream has begun (P-OA-4). */
function statusOfFailure(type: string) {
  if (type === 'upstream_rate_limited') return 429;
  if (type === 'expired' || type === 'upstream_silent') return 504;
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
    { error: { message, type, param: field ?? null, code } },
    { status, headers: { 'x-request-id': request_id, ...headers } },
  );
}

import { Hono } from 'hono';
import { unwrap } from '../objects/outcome.ts';
import { ActionCommand, AnswerCommand, CancelCommand, MessageCommand } from '../protocol/client-frames.ts';
import { StarwireError } from '../protocol/errors.ts';
import { userView } from '../protocol/identity.ts';
import { ConversationId } from '../protocol/ids.ts';
import { publicLimits } from '../protocol/limits.ts';
import { parse } from '../protocol/parse.ts';
import { type AppEnv, hubOf, queryNumber, readJson, requireUser, use } from './app.ts';

/** HTTP for clients (section 3). */
export const clientApi = new Hono<AppEnv>();

clientApi.get('/me', async (c) => {
  const who = await requireUser(c);
  return c.json({ user: userView(who), limits: publicLimits(use(c).config.limits) });
});

clientApi.post('/messages', async (c) => {
  const who = await requireUser(c);
  const { config, files } = use(c);
  const command = parse(MessageCommand, await readJson(c, config.limits.frame_bytes));
  const known = await files.claim(who, command.conversation, command.attachments);
  return c.json(unwrap(await hubOf(c, who).send(command, who, known, new URL(c.req.url).origin)), 202);
});

clientApi.post('/actions', async (c) => {
  const who = await requireUser(c);
  const command = parse(ActionCommand, await readJson(c, use(c).config.limits.frame_bytes));
  return c.json(unwrap(await hubOf(c, who).send(command, who)), 202);
});

clientApi.post('/prompts/:prompt/answer', async (c) => {
  const who = await requireUser(c);
  const command = parse(AnswerCommand, {
    ...record(await readJson(c, use(c).config.limits.frame_bytes)),
    prompt: c.req.param('prompt'),
  });
  return c.json(unwrap(await hubOf(c, who).send(command, who)), 202);
});

clientApi.post('/turns/:turn/cancel', async (c) => {
  const who = await requireUser(c);
  const { turn } = parse(CancelCommand, { turn: c.req.param('turn') });
  unwrap(await hubOf(c, who).cancel(turn));
  return c.json({ turn, status: 'cancelled' }, 202);
});

clientApi.get('/conversations/:id/messages', async (c) => {
  const who = await requireUser(c);
  const conversation = parse(ConversationId, c.req.param('id'), 'conversation');
  const before = queryNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER);
  const limit = queryNumber(c, 'limit', 1, 200) ?? 50;
  const page = await hubOf(c, who).history(conversation, before, limit, new URL(c.req.url).origin);
  return c.body(page, 200, { 'content-type': 'application/json' });
});

function record(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new StarwireError('bad_request', 'the body is not a JSON object');
  return body;
}

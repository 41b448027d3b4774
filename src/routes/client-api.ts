import { Hono } from 'hono';
import { unwrap } from '../objects/outcome.ts';
import { ActionCommand, AnswerCommand, CancelCommand, MessageCommand } from '../protocol/client-frames.ts';
import { userView } from '../protocol/identity.ts';
import { publicLimits } from '../protocol/limits.ts';
import { parse } from '../protocol/parse.ts';
import { ownKeys } from './api-keys.ts';
import { type AppEnv, hubOf, readJson, requireObject, use } from './app.ts';
import { conversations } from './conversations.ts';
import { requireUser } from './door.ts';
import { records } from './records.ts';

/** HTTP for clients (section 3). */
export const clientApi = new Hono<AppEnv>();

clientApi.route('/keys', ownKeys);

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
    ...requireObject(await readJson(c, use(c).config.limits.frame_bytes)),
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

clientApi.post('/turns/:turn/regenerate', async (c) => {
  const who = await requireUser(c);
  const { turn } = parse(CancelCommand, { turn: c.req.param('turn') });
  return c.json({ turn: unwrap(await hubOf(c, who).regenerate(turn, who)) }, 202);
});

clientApi.route('/conversations', conversations);
clientApi.route('/', records);

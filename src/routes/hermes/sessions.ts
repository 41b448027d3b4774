import { Hono } from 'hono';
import { sessionOf, usageOf } from '../../dialects/hermes/session.ts';
import { unwrap } from '../../objects/outcome.ts';
import { NewConversation, Renaming } from '../../protocol/conversations.ts';
import { parse } from '../../protocol/parse.ts';
import { Conversations } from '../../records/conversations.ts';
import { type AppEnv, type Ctx, hubOf, queryNumber } from '../app.ts';
import { activeIn, callerOf, fieldsOf, openOf, requireSession, rowsOf, sessionWith } from './answers.ts';

/** Sessions of the Hermes web UI, `/api/session`: conversations under another name. */
export const session = new Hono<AppEnv>();

/** The newest sessions; `before` goes on where a page ended. */
export async function list(c: Ctx): Promise<Response> {
  const who = await callerOf(c);
  const before = queryNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  const limit = queryNumber(c, 'limit', 1, 200) ?? 200;
  await hubOf(c, who).record();
  const conversations = new Conversations(c.env.DB);
  const page = await conversations.page(who, before, limit);
  const open = await openOf(c, who);
  const counts = await conversations.counts(
    who,
    page.conversations.map(({ id }) => id),
  );
  return c.json({
    sessions: page.conversations.map((one) =>
      sessionOf(one, counts.get(one.id) ?? 0, activeIn(open, one.id)),
    ),
    next: page.next,
  });
}

session.get('/', async (c) => {
  const who = await callerOf(c);
  const id = await requireSession(c, who, c.req.query('session_id'));
  await hubOf(c, who).record();
  const whole = await sessionWith(c, who, id, queryNumber(c, 'msg_limit', 1, 2_000));
  return c.json({ session: c.req.query('messages') === '0' ? { ...whole, messages: [] } : whole });
});

session.post('/new', async (c) => {
  const who = await callerOf(c);
  const { title } = parse(NewConversation, await fieldsOf(c));
  const view = unwrap(await hubOf(c, who).createConversation(title));
  return c.json({ session: { ...sessionOf(view, 0, undefined), messages: [] } });
});

session.post('/rename', async (c) => {
  const who = await callerOf(c);
  const { session_id, title } = await fieldsOf(c);
  const id = await requireSession(c, who, session_id);
  const view = unwrap(await hubOf(c, who).renameConversation(id, parse(Renaming, { title }).title));
  const count = (await new Conversations(c.env.DB).counts(who, [id])).get(id) ?? 0;
  return c.json({ session: sessionOf(view, count, activeIn(await openOf(c, who), id)) });
});

session.post('/delete', async (c) => {
  const who = await callerOf(c);
  const { session_id } = await fieldsOf(c);
  unwrap(await hubOf(c, who).deleteConversation(await requireSession(c, who, session_id)));
  return c.json({ ok: true });
});

session.get('/status', async (c) => {
  const who = await callerOf(c);
  const id = await requireSession(c, who, c.req.query('session_id'));
  const { messages, ...status } = await sessionWith(c, who, id);
  return c.json({
    ...status,
    agent_running: status.is_streaming,
    ...usageOf((await rowsOf(c, who, id)).rows),
  });
});

session.get('/usage', async (c) => {
  const who = await callerOf(c);
  const id = await requireSession(c, who, c.req.query('session_id'));
  return c.json({ session_id: id, ...usageOf((await rowsOf(c, who, id)).rows) });
});

session.get('/export', async (c) => {
  const who = await callerOf(c);
  const id = await requireSession(c, who, c.req.query('session_id'));
  c.header('content-disposition', 'attachment; filename="session.json"');
  return c.json(await sessionWith(c, who, id));
});

import { Hono } from 'hono';
import { type Links, render } from '../channel/render.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { HistoryRow } from '../protocol/history.ts';
import { type Identity, userView } from '../protocol/identity.ts';
import { Conversations } from '../records/conversations.ts';
import { Feedbacks } from '../records/feedback.ts';
import { Messages } from '../records/messages.ts';
import { Search, snippetOf, termsOf } from '../records/search.ts';
import { type AppEnv, audit, type Ctx, hubOf, queryNumber, use } from './app.ts';
import { requireUser } from './door.ts';

/** What is kept of a user, as a whole: search, export, erasure (section 3). */
export const records = new Hono<AppEnv>();

/** Positions are numbers of the journal: 32 bits of a row's place. */
const MAX_POSITION = 2 ** 32 - 1;

/** Rows of an export that are in memory at once. */
const EXPORT_ROWS = 100;
const EXPORT_CONVERSATIONS = 200;

records.get('/search', async (c) => {
  const who = await requireUser(c);
  const q = c.req.query('q');
  if (q === undefined) throw new StarwireError('bad_request', '"q" is missing', { field: 'q' });
  const before = queryNumber(c, 'before', 1, MAX_POSITION) ?? MAX_POSITION;
  const limit = queryNumber(c, 'limit', 1, 50) ?? 20;
  await hubOf(c, who).record();
  const terms = termsOf(q);
  const found = await new Search(c.env.DB).find(who, terms, before, limit + 1);
  const page = found.slice(0, limit);
  const titles = await new Conversations(c.env.DB).titles(
    who,
    page.map(({ row }) => row.conversation),
  );
  const links = linksOf(c);
  return c.json({
    results: page.map(({ row }) => ({
      message: render(row, links),
      conversation: { id: row.conversation, title: titles.get(row.conversation) ?? '' },
      snippet: snippetOf(row.type === 'message' ? row.text : row.filename, terms),
    })),
    next: found.length > limit ? (page.at(-1)?.position ?? null) : null,
  });
});

records.get('/export', async (c) => {
  const who = await requireUser(c);
  await hubOf(c, who).record();
  const lines = exported(c, who);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    // As the client reads; what fails in the middle breaks the response off, and it does not look complete.
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value.map((line) => `${JSON.stringify(line)}\n`).join('')));
    },
  });
  return c.body(body, 200, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': 'attachment; filename="starwire-export.ndjson"',
  });
});

/** Everything of a user, page by page: who they are, their conversations, and what was said in them, oldest first. */
async function* exported(c: Ctx, who: Identity): AsyncGenerator<object[], undefined> {
  yield [{ kind: 'user', ...userView(who) }];
  const conversations = new Conversations(c.env.DB);
  for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
    const page = await conversations.page(who, before, EXPORT_CONVERSATIONS);
    yield page.conversations.map(({ last_message: _, ...one }) => ({ kind: 'conversation', ...one }));
    before = page.next;
  }
  const messages = new Messages(c.env.DB);
  const feedbacks = new Feedbacks(c.env.DB);
  const links = linksOf(c);
  for (let at = 0; ; ) {
    const rows = await messages.after(who, at, EXPORT_ROWS);
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(({ row }) => lineOf(render(row, links)));
    const ids = rows.map(({ row }) => row.id);
    yield [...(await feedbacks.of(who, ids)).values()].map((one) => ({ kind: 'feedback', ...one }));
    at = last.position;
  }
}

function lineOf({ type, ...row }: HistoryRow): object {
  return { kind: type, ...row };
}

records.delete('/me', async (c) => {
  const who = await requireUser(c);
  audit(c, 'user erased', { tenant: who.tenant, user: who.user });
  await hubOf(c, who).erase();
  return c.body(null, 204);
});

function linksOf(c: Ctx): Links {
  const { files } = use(c);
  const { origin } = new URL(c.req.url);
  return { url: (id, filename) => files.url(origin, id, filename), data: () => undefined };
}

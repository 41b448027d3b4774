import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { contextOf, type Env } from './env.ts';
import { log } from './protocol/log.ts';
import { type AppEnv, refusal, statusOf } from './routes/app.ts';
import { clientApi } from './routes/client-api.ts';
import { dev } from './routes/dev.ts';
import { dialects } from './routes/dialects.ts';
import { files } from './routes/files.ts';
import { internal } from './routes/internal.ts';
import { nothingAt } from './routes/methods.ts';
import { native } from './routes/native.ts';
import { openai, openaiRefusal } from './routes/openai.ts';
import { page } from './routes/page.ts';
import { uploads } from './routes/uploads.ts';
import { VERSION } from './version.ts';

export { Directory } from './objects/directory.ts';
export { RequestStream } from './objects/request-stream.ts';
export { UserHub } from './objects/user-hub.ts';
export type { Env };

const app = new Hono<AppEnv>();

app.use(async (c, next) => {
  c.set('request_id', crypto.randomUUID());
  // A wrong variable is told by every route, by name (P-ID-5).
  contextOf(c.env);
  await next();
});

// Pages on the origins that may open sockets may use the HTTP side as well.
app.use(
  cors({
    origin: (origin, c) => (contextOf(c.env).config.allowed_origins.includes(origin) ? origin : null),
    exposeHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  }),
);

app.get('/healthz', (c) => c.json({ ok: true, version: VERSION }));
app.route('/', native);
app.route('/api/files', uploads);
app.route('/api', clientApi);
app.route('/files', files);
app.route('/v1', openai);
app.route('/internal', internal);
app.route('/dev', dev);
app.route('/', dialects);
app.route('/', page);

app.notFound((c) => {
  throw nothingAt(app, c.req.method, c.req.path);
});

app.onError((error, c) => {
  if (c.req.path.startsWith('/v1/')) return openaiRefusal(error, c.get('request_id'));
  const { body, headers } = refusal(error, c.get('request_id'));
  return Response.json({ error: body }, { status: statusOf(body), headers });
});

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    // P-OA-2: a doubled slash in the path, as clients make it that join base and path carelessly.
    if (!url.pathname.startsWith('//') && !url.pathname.includes('//')) return app.fetch(request, env, ctx);
    url.pathname = url.pathname.replaceAll(/\/{2,}/g, '/');
    return app.fetch(new Request(url, request), env, ctx);
  },

  /** Every now and then: `triggers` in wrangler.toml, and `npm start`. */
  async scheduled(_, env): Promise<void> {
    const removed = await contextOf(env).files.sweep();
    if (removed > 0) log('info', 'files that no message uses are gone', { removed });
  },
} satisfies ExportedHandler<Env>;

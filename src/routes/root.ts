import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { contextOf } from '../env.ts';
import { VERSION } from '../version.ts';
import { admin } from './admin.ts';
import { type AppEnv, isUpgrade, refusal, statusOf, use } from './app.ts';
import { clientApi } from './client-api.ts';
import { dev } from './dev.ts';
import { dialects, type Surface } from './dialects.ts';
import { files } from './files.ts';
import { internal } from './internal.ts';
import { nothingAt } from './methods.ts';
import { native } from './native.ts';
import { openai, openaiRefusal } from './openai.ts';
import { page } from './page.ts';
import { uploads } from './uploads.ts';

/** All routes, what they share, and how refusals become responses; `spoken`: the dialects. */
export function appOf(spoken: Readonly<Record<string, Surface>>): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(async (c, next) => {
    c.set('request_id', crypto.randomUUID());
    // A wrong variable is told by every route, by name (P-ID-5).
    contextOf(c.env);
    await next();
  });

  // Pages on the origins that may open sockets may use the HTTP side as well; of a socket, browsers ask nothing of the kind.
  const shared = cors({
    origin: (origin, c) => (contextOf(c.env).config.allowed_origins.includes(origin) ? origin : null),
    exposeHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  });
  app.use((c, next) =>
    isUpgrade(c) || use(c).config.allowed_origins.length === 0 ? next() : shared(c, next),
  );

  // What is made for one client is kept by no cache and is of no other type than it says.
  app.use(async (c, next) => {
    await next();
    if (c.res.status === 101) return;
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
  });

  app.get('/healthz', (c) => c.json({ ok: true, version: VERSION }));
  app.route('/', admin);
  app.route('/', native);
  app.route('/api/files', uploads);
  app.route('/api', clientApi);
  app.route('/files', files);
  app.route('/v1', openai);
  app.route('/internal', internal);
  app.route('/dev', dev);
  app.route('/', dialects(spoken));
  app.route('/', page);

  app.notFound((c) => {
    throw nothingAt(app, c.req.method, c.req.path);
  });

  app.onError((error, c) => {
    if (c.req.path.startsWith('/v1/')) return openaiRefusal(error, c.get('request_id'));
    const { body, headers } = refusal(error, c.get('request_id'));
    return Response.json({ error: body }, { status: statusOf(body), headers });
  });
  return app;
}

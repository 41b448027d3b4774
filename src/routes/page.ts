import { Hono } from 'hono';
import { isLocal } from '../auth/origin.ts';
import { type AppEnv, type Ctx, use } from './app.ts';

/** The chat page and its files, with the headers that keep it to itself. */
export const page = new Hono<AppEnv>();

const SECURITY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
};

/** The one file that pages of other sites load (`<starwire-chat>`), and what it asks before anybody signs in. */
const FOR_ALL = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };

/** What everybody may know: whether the demo answers, and whether any name may sign in (P-ID-4). */
page.get('/settings.json', (c) => {
  const { config } = use(c);
  const demo = config.upstream.mode === 'demo';
  const development = config.dev_auth && isLocal(c.req.header('host'), c.req.header('origin'), c.req.url);
  return c.json({ demo, development }, 200, { ...FOR_ALL, 'cache-control': 'no-cache' });
});

// The page finds the conversation in its address by itself.
page.get('/new', (c) => asset(c, '/'));
page.get('/c/:conversation', (c) => asset(c, '/'));

page.get('*', async (c, next) => {
  const response = await asset(c, new URL(c.req.url).pathname);
  if (response.status !== 404) return response;
  await response.body?.cancel();
  return next();
});

async function asset(c: Ctx, path: string): Promise<Response> {
  const url = new URL(path, c.req.url);
  const found = await c.env.ASSETS.fetch(new Request(url, c.req.raw));
  const response = new Response(found.body, found);
  const headers = { ...SECURITY, ...(path === '/embed.js' ? FOR_ALL : {}) };
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  // Hashed names never change; the page itself is asked for again each time.
  const lasting = path.startsWith('/assets/');
  response.headers.set('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
  return response;
}

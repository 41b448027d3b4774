import { Hono } from 'hono';
import type { AppEnv } from './app.ts';

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
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
};

page.get('*', async (c, next) => {
  const asset = await c.env.ASSETS.fetch(c.req.raw);
  if (asset.status === 404) {
    await asset.body?.cancel();
    return next();
  }
  const response = new Response(asset.body, asset);
  for (const [name, value] of Object.entries(SECURITY)) response.headers.set(name, value);
  // Hashed names never change; the page itself is asked for again each time.
  const lasting = new URL(c.req.url).pathname.startsWith('/assets/');
  response.headers.set('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
  return response;
});

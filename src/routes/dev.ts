import { Hono } from 'hono';
import * as v from 'valibot';
import { isLocal } from '../auth/origin.ts';
import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_TENANT, Tenant, UserId } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { createKey } from './api-keys.ts';
import { type AppEnv, readJson, use } from './app.ts';
import { outbound } from './outbound.ts';

/** Development sign-in (P-ID-4): only with `DEV_AUTH=true`, from this machine, and otherwise not there at all. */
export const dev = new Hono<AppEnv>();

const DAY_S = 86_400;

const TokenRequest = v.object({
  user: UserId,
  name: v.optional(v.pipe(v.string(), v.maxLength(256))),
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  roles: v.optional(v.array(v.pipe(v.string(), v.maxLength(64))), []),
  ttl_s: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30 * DAY_S)), DAY_S / 2),
});

const KeyRequest = v.object({ user: UserId, tenant: v.optional(Tenant, DEFAULT_TENANT) });

dev.use(async (c, next) => {
  if (!use(c).config.dev_auth || !isLocal(c.req.header('host'), c.req.header('origin'), c.req.url)) {
    throw new StarwireError('not_found', 'there is nothing here');
  }
  await next();
});

dev.post('/token', async (c) => {
  const { ttl_s, name, ...who } = parse(TokenRequest, await readJson(c, 16_384));
  return c.json({ token: await use(c).tokens.issue({ ...who, name: name ?? who.user }, ttl_s) });
});

// What the page's playground posts; whoever may sign in as anybody may as well speak to anybody.
dev.route('/outbound', outbound);

dev.post('/api-key', async (c) => {
  const owner = parse(KeyRequest, await readJson(c, 16_384));
  const { api_key } = await createKey(c, owner, 'development');
  return c.json({ api_key });
});

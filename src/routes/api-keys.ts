import { Hono } from 'hono';
import * as v from 'valibot';
import { DEFAULT_TENANT, Tenant, UserId } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { type AppEnv, readJson, use } from './app.ts';

/** Keys for `/v1` and `/api` (P-ID-2), managed by who holds the internal token. */
export const apiKeys = new Hono<AppEnv>();

const KeyRequest = v.object({
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  user: UserId,
  name: v.optional(v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')), ''),
});

apiKeys.post('/', async (c) => {
  const { name, ...owner } = parse(KeyRequest, await readJson(c, 16_384));
  const { apiKeys: keys, seal } = use(c);
  return c.json(await keys.create(seal.newId('key'), owner, name), 201);
});

apiKeys.get('/', async (c) => c.json({ api_keys: await use(c).apiKeys.list() }));

apiKeys.delete('/:id', async (c) => {
  await use(c).apiKeys.delete(c.req.param('id'));
  return c.body(null, 204);
});

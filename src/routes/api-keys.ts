import { Hono } from 'hono';
import { KeyRequest } from '../protocol/api-keys.ts';
import { parse } from '../protocol/parse.ts';
import { type AppEnv, readJson, use } from './app.ts';

/** Keys for `/v1` and `/api` (P-ID-2), managed by who holds the internal token. */
export const apiKeys = new Hono<AppEnv>();

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

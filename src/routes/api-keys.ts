import { Hono } from 'hono';
import * as v from 'valibot';
import { KeyRequest, OwnKeyRequest, TenantKeyRequest } from '../protocol/api-keys.ts';
import { Tenant, UserId } from '../protocol/identity.ts';
import { RefId } from '../protocol/ids.ts';
import { parse } from '../protocol/parse.ts';
import type { KeyOwner } from '../records/api-keys.ts';
import { type AppEnv, audit, type Ctx, readJson, use } from './app.ts';
import { requirePerson } from './door.ts';

const BODY_BYTES = 16_384;

/** Keys for `/v1` and `/api` (P-ID-2), managed by who holds the internal token. */
export const apiKeys = new Hono<AppEnv>();

apiKeys.post('/', async (c) => {
  const body = await readJson(c, BODY_BYTES);
  if (v.is(v.looseObject({ scope: v.unknown() }), body)) {
    const { tenant, name } = parse(TenantKeyRequest, body);
    return c.json(await createKey(c, { tenant, user: null }, name), 201);
  }
  const { name, ...owner } = parse(KeyRequest, body);
  return c.json(await createKey(c, owner, name), 201);
});

apiKeys.get('/', async (c) => {
  const { tenant, user, before } = c.req.query();
  return c.json(
    await use(c).apiKeys.list({
      ...(tenant === undefined ? {} : { tenant: parse(Tenant, tenant, 'tenant') }),
      ...(user === undefined ? {} : { user: parse(UserId, user, 'user') }),
      ...(before === undefined ? {} : { before: parse(RefId, before, 'before') }),
    }),
  );
});

apiKeys.delete('/:id', async (c) => revoke(c, c.req.param('id')));

/** A user's own keys. An API key makes no keys: one that got about could otherwise never be taken back. */
export const ownKeys = new Hono<AppEnv>();

ownKeys.post('/', async (c) => {
  const who = await requirePerson(c);
  const { name } = parse(OwnKeyRequest, await readJson(c, BODY_BYTES));
  return c.json(await createKey(c, who, name, use(c).config.limits.keys_per_user), 201);
});

ownKeys.get('/', async (c) => {
  const { tenant, user } = await requirePerson(c);
  const { before } = c.req.query();
  const { api_keys, next } = await use(c).apiKeys.list({
    tenant,
    user,
    ...(before === undefined ? {} : { before: parse(RefId, before, 'before') }),
  });
  return c.json({ api_keys: api_keys.map(({ id, name, created_at }) => ({ id, name, created_at })), next });
});

ownKeys.delete('/:id', async (c) => {
  const { tenant, user } = await requirePerson(c);
  return revoke(c, c.req.param('id'), { tenant, user });
});

export async function createKey(c: Ctx, { tenant, user }: KeyOwner, name: string, most?: number) {
  const { apiKeys: keys, seal } = use(c);
  const made = await keys.create(seal.newId('key'), { tenant, user }, name, most);
  audit(c, 'api key created', { tenant, user, key_id: made.id });
  return made;
}

async function revoke(c: Ctx, id: string, owner?: KeyOwner): Promise<Response> {
  const { tenant, user } = await use(c).apiKeys.delete(id, owner);
  audit(c, 'api key revoked', { tenant, user, key_id: id });
  return c.body(null, 204);
}

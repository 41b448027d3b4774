import { Hono } from 'hono';
import type { Upstream } from '../config.ts';
import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_TENANT, Tenant } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { TenantRequest, type UpstreamRequest } from '../protocol/tenants.ts';
import { noSuchTenant, type TenantRecord } from '../records/tenants.ts';
import { addressFault } from '../upstream/address.ts';
import { type AppEnv, type Ctx, readJson, use } from './app.ts';

/** Upstreams of tenants, managed by who holds the internal token. Secrets go in and never come out. */
export const tenants = new Hono<AppEnv>();

const BODY_BYTES = 262_144;

tenants.get('/', async (c) => {
  const page = await use(c).tenants.list(c.req.query('after'));
  return c.json({ tenants: page.tenants.map(view), next: page.next });
});

tenants.get('/:tenant', async (c) => c.json(view(await known(c))));

tenants.put('/:tenant', async (c) => {
  const tenant = named(c);
  const { name, upstream: asked } = parse(TenantRequest, await readJson(c, BODY_BYTES));
  checkAddress(asked, use(c).config.dev_auth);
  const store = use(c).tenants;
  const before = await store.find(tenant);
  const kept = before && keeps(before, asked) ? await store.open(tenant, before.upstream) : undefined;
  const made = asked.mode === 'webhook' && !asked.webhook_secrets && !kept ? newSecret() : undefined;
  const change = { name: name ?? before?.name ?? '', upstream: upstreamOf(asked, kept, made) };
  const after = await store.put(tenant, change, before);
  return c.json(
    { ...view(after), ...(made === undefined ? {} : { webhook_secret: made }) },
    before ? 200 : 201,
  );
});

/** A new secret, shown this once, before the one that was first: deliveries carry both signatures. */
tenants.post('/:tenant/webhook-secret', async (c) => {
  const before = await known(c);
  const { tenant, name } = before;
  const store = use(c).tenants;
  const upstream = await store.open(tenant, before.upstream);
  if (upstream.mode !== 'webhook')
    throw new StarwireError('bad_request', `the upstream of the tenant is in mode ${upstream.mode}`);
  const webhook_secret = newSecret();
  const webhook_secrets = [webhook_secret, ...upstream.webhook_secrets.slice(0, 1)];
  await store.put(tenant, { name, upstream: { ...upstream, webhook_secrets } }, before);
  return c.json({ webhook_secret }, 201);
});

/** After a new `ENCRYPTION_KEY`: the old one is needed no more. */
tenants.post('/reseal', async (c) => c.json(await use(c).tenants.reseal(c.req.query('after'))));

tenants.delete('/:tenant', async (c) => {
  await use(c).tenants.delete(named(c));
  return c.body(null, 204);
});

function named(c: Ctx): string {
  const tenant = parse(Tenant, c.req.param('tenant'), 'tenant');
  if (tenant === DEFAULT_TENANT)
    throw new StarwireError('bad_request', 'the upstream of the tenant "default" is that of the variables', {
      field: 'tenant',
    });
  return tenant;
}

async function known(c: Ctx): Promise<TenantRecord> {
  const record = await use(c).tenants.find(named(c));
  if (!record) throw noSuchTenant();
  return record;
}

function checkAddress(upstream: UpstreamRequest, development: boolean): void {
  if (upstream.mode === 'demo') return;
  const query = upstream.mode === 'openai' && upstream.url.includes('?');
  const fault = query ? 'has a query: paths are added to it' : addressFault(upstream.url, { development });
  if (fault) throw new StarwireError('bad_request', `"upstream.url" ${fault}`, { field: 'upstream.url' });
}

/** Secrets that are not given again stay for the same mode and origin only: a new address is told none by mistake. */
function keeps({ upstream }: TenantRecord, asked: UpstreamRequest): boolean {
  if (asked.mode === 'demo' || asked.mode !== upstream.mode) return false;
  const given = asked.mode === 'openai' ? asked.api_key : asked.webhook_secrets;
  if (given !== undefined) return false;
  return URL.parse(asked.url)?.origin === URL.parse(upstream.url ?? '')?.origin;
}

function upstreamOf(asked: UpstreamRequest, kept: Upstream | undefined, made: string | undefined): Upstream {
  switch (asked.mode) {
    case 'demo':
      return { ...asked, webhook_secrets: [] };
    case 'webhook':
      return {
        ...asked,
        webhook_secrets:
          asked.webhook_secrets ?? (made === undefined ? (kept?.webhook_secrets ?? []) : [made]),
      };
    case 'openai': {
      const { api_key = kept?.api_key ?? null } = asked;
      return { ...asked, api_key: api_key ?? undefined, webhook_secrets: [] };
    }
    default:
      return asked satisfies never;
  }
}

/** As Standard Webhooks libraries take it. */
function newSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;
}

/** A tenant as it is shown: of its secrets only whether they are set. */
function view({ tenant, name, updated_at, upstream }: TenantRecord) {
  const { mode, url, model, models, api_key, webhook_secrets } = upstream;
  return {
    ...{ tenant, name, updated_at },
    upstream: {
      ...{ mode, url, model, models },
      api_key_set: api_key !== undefined,
      webhook_secrets_set: webhook_secrets !== undefined,
    },
  };
}

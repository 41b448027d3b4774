import { Hono } from 'hono';
import * as v from 'valibot';
import { MIN_WEBHOOK_SECRET_BYTES, type Upstream } from '../config.ts';
import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_TENANT, Tenant } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { noSuchTenant, type TenantRecord } from '../records/tenants.ts';
import { addressFault } from '../upstream/address.ts';
import { type AppEnv, type Ctx, readJson, use } from './app.ts';

/** Upstreams of tenants, managed by who holds the internal token. Secrets go in and never come out. */
export const tenants = new Hono<AppEnv>();

const BODY_BYTES = 262_144;

const Name = v.pipe(v.string('is not a text'), v.maxLength(256, 'has more than 256 characters'));
const ModelName = v.pipe(
  v.string('is not a text'),
  v.minLength(1, 'is empty'),
  v.maxLength(256, 'has more than 256 characters'),
);
const Model = v.union(
  [
    v.pipe(
      ModelName,
      v.transform((id) => ({ id })),
    ),
    v.strictObject({ id: ModelName, upstream: v.optional(ModelName) }),
  ],
  'is neither a name nor {id, upstream?}',
);
const Url = v.pipe(v.string('is not a text'), v.maxLength(2_048, 'has more than 2048 characters'));
/** What a header may carry. */
const ApiKey = v.pipe(
  v.string('is not a text'),
  v.regex(/^[\x21-\x7e]{1,4096}$/, 'is not a key of 1 to 4096 printable ASCII characters'),
);
const WebhookSecret = v.pipe(
  v.string('is not a text'),
  v.regex(
    new RegExp(`^[\\x21-\\x7e]{${MIN_WEBHOOK_SECRET_BYTES},512}$`),
    `is not a secret of ${MIN_WEBHOOK_SECRET_BYTES} to 512 printable ASCII characters`,
  ),
);

const Offer = {
  model: v.optional(ModelName),
  models: v.optional(
    v.pipe(
      v.array(Model, 'is not a list'),
      v.maxLength(200, 'has more than 200 entries'),
      v.check((all) => new Set(all.map(({ id }) => id)).size === all.length, 'names a model twice'),
    ),
    [],
  ),
};

const TenantRequest = v.strictObject({
  name: v.optional(Name),
  upstream: v.variant(
    'mode',
    [
      v.strictObject({ mode: v.literal('demo'), ...Offer }),
      v.strictObject({
        mode: v.literal('webhook'),
        url: Url,
        ...Offer,
        webhook_secrets: v.optional(
          v.pipe(
            v.array(WebhookSecret, 'is not a list'),
            v.minLength(1, 'is empty'),
            v.maxLength(3, 'has more than 3 entries'),
          ),
        ),
      }),
      v.strictObject({
        mode: v.literal('openai'),
        url: Url,
        ...Offer,
        /** `null`: none. */
        api_key: v.optional(v.nullable(ApiKey)),
      }),
    ],
    'must be demo, webhook or openai',
  ),
});

type UpstreamRequest = v.InferOutput<typeof TenantRequest>['upstream'];

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

import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';

const good = {
  AUTH_SECRET: 'a'.repeat(32),
  INTERNAL_TOKEN: 'b'.repeat(16),
  UPSTREAM_WEBHOOK_SECRET: 'c'.repeat(24),
};

const webhook = { ...good, UPSTREAM_MODE: 'webhook', UPSTREAM_URL: 'https://example.com/hook' };

describe('P-ID-5 a wrong variable is an error that names it, never a silent default', () => {
  const cases: [string, string, object][] = [
    ['AUTH_SECRET', 'missing', { ...good, AUTH_SECRET: undefined }],
    ['AUTH_SECRET', 'empty', { ...good, AUTH_SECRET: '' }],
    ['AUTH_SECRET', 'short', { ...good, AUTH_SECRET: 'a'.repeat(31) }],
    ['AUTH_SECRET', 'no text', { ...good, AUTH_SECRET: { length: 32 } }],
    ['SIGNING_SECRET', 'short', { ...good, SIGNING_SECRET: 'a'.repeat(31) }],
    ['SIGNING_SECRET', 'missing', { ...good, AUTH_SECRET: undefined, AUTH_JWKS_URL: 'https://id.example' }],
    ['AUTH_JWKS_URL', 'no URL', { ...good, AUTH_JWKS_URL: 'keys.json' }],
    ['AUTH_JWKS_URL', 'a file', { ...good, AUTH_JWKS_URL: 'file:///etc/keys' }],
    ['INTERNAL_TOKEN', 'missing', { ...good, INTERNAL_TOKEN: undefined }],
    ['INTERNAL_TOKEN', 'only commas', { ...good, INTERNAL_TOKEN: ' , ,' }],
    ['INTERNAL_TOKEN', 'one of two short', { ...good, INTERNAL_TOKEN: `${'b'.repeat(16)},short` }],
    ['UPSTREAM_MODE', 'unknown', { ...good, UPSTREAM_MODE: 'telepathy' }],
    ['UPSTREAM_MODE', 'in capitals', { ...good, UPSTREAM_MODE: 'Demo' }],
    ['UPSTREAM_BODY', 'unknown', { ...webhook, UPSTREAM_BODY: 'discord' }],
    ['UPSTREAM_URL', 'missing', { ...webhook, UPSTREAM_URL: undefined }],
    ['UPSTREAM_URL', 'no URL', { ...webhook, UPSTREAM_URL: 'localhost:9000' }],
    ['UPSTREAM_WEBHOOK_SECRET', 'missing', { ...webhook, UPSTREAM_WEBHOOK_SECRET: undefined }],
    ['UPSTREAM_WEBHOOK_SECRET', 'short', { ...webhook, UPSTREAM_WEBHOOK_SECRET: 'short' }],
    ['UPSTREAM_MODELS', 'without a name', { ...good, UPSTREAM_MODELS: 'small,=vendor/large' }],
    ['ENCRYPTION_KEY', 'short', { ...good, ENCRYPTION_KEY: Buffer.alloc(31).toString('base64') }],
    ['ENCRYPTION_KEY', 'no base64', { ...good, ENCRYPTION_KEY: '!'.repeat(43) }],
    [
      'ENCRYPTION_KEY',
      'one of two short',
      { ...good, ENCRYPTION_KEY: `${'A'.repeat(43)},${'A'.repeat(22)}` },
    ],
    ['LIMITS', 'no JSON', { ...good, LIMITS: 'open_turns=3' }],
    ['PUBLIC_URL', 'no url', { ...good, PUBLIC_URL: 'chat.example.com' }],
    ['PUBLIC_URL', 'of another kind', { ...good, PUBLIC_URL: 'ftp://chat.example.com' }],
    ['PUBLIC_URL', 'with a query', { ...good, PUBLIC_URL: 'https://chat.example.com/?a=b' }],
    ['PUBLIC_URL', 'with a name and password', { ...good, PUBLIC_URL: 'https://a:short,@chat.example.com' }],
    ['LIMITS', 'a list', { ...good, LIMITS: '[3]' }],
    ['LIMITS', 'a text for a number', { ...good, LIMITS: '{"open_turns":"3"}' }],
    ['LIMITS', 'zero', { ...good, LIMITS: '{"open_turns":0}' }],
    ['LIMITS', 'a fraction', { ...good, LIMITS: '{"open_turns":1.5}' }],
    ['LIMITS', 'an unknown name', { ...good, LIMITS: '{"open_doors":3}' }],
  ];
  test.each(cases)('%s %s', (name, _, env) => {
    expect(() => readConfig(env)).toThrow(new RegExp(`^${name}\\b`));
  });

  test('no error repeats a secret', () => {
    for (const [, , env] of cases) {
      try {
        readConfig(env);
      } catch (error) {
        expect(String(error)).not.toMatch(/aaaa|bbbb|cccc|short,|,short/);
      }
    }
  });
});

describe('what is right', () => {
  test('a model may have another name at the upstream', () => {
    expect(readConfig(good).upstream.models).toEqual([]);
    const UPSTREAM_MODELS = 'small, large = vendor/large=2 ';
    expect(readConfig({ ...good, UPSTREAM_MODELS }).upstream.models).toEqual([
      { id: 'small' },
      { id: 'large', upstream: 'vendor/large=2' },
    ]);
  });

  test('an encryption key may be missing, or have a second one behind it', () => {
    expect(readConfig(good).encryption_keys).toEqual([]);
    const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const ENCRYPTION_KEY = `${keys[0]?.toString('base64')}, ${keys[1]?.toString('base64url')}`;
    expect(readConfig({ ...good, ENCRYPTION_KEY }).encryption_keys).toEqual(
      keys.map((key) => new Uint8Array(key)),
    );
  });

  test('demo is the mode where none is named, and the limits are the documented ones', () => {
    const config = readConfig(good);
    expect(config.upstream.mode).toBe('demo');
    expect(config.limits).toEqual(DEFAULT_LIMITS);
    expect(config.dev_auth).toBe(false);
    expect(config.allowed_origins).toEqual([]);
  });

  test('only "true" turns development sign-in on', () => {
    for (const DEV_AUTH of ['1', 'TRUE', 'yes', ' true'])
      expect(readConfig({ ...good, DEV_AUTH }).dev_auth).toBe(false);
    expect(readConfig({ ...good, DEV_AUTH: 'true' }).dev_auth).toBe(true);
  });

  test('lists are comma-separated, with or without spaces', () => {
    const config = readConfig({
      ...good,
      INTERNAL_TOKEN: `${'b'.repeat(16)}, ${'d'.repeat(16)},`,
      ALLOWED_ORIGINS: 'https://a.example , https://b.example',
    });
    expect(config.internal_tokens).toEqual(['b'.repeat(16), 'd'.repeat(16)]);
    expect(config.allowed_origins).toEqual(['https://a.example', 'https://b.example']);
  });

  test('a secret counts in bytes', () => {
    expect(readConfig({ ...good, AUTH_SECRET: 'ü'.repeat(16) }).auth.secret).toHaveLength(16);
  });

  test('AUTH_JWKS_URL does without AUTH_SECRET, given a SIGNING_SECRET', () => {
    const AUTH_JWKS_URL = 'https://id.example.com/keys';
    const SIGNING_SECRET = 's'.repeat(32);
    expect(readConfig({ ...good, AUTH_SECRET: undefined, AUTH_JWKS_URL, SIGNING_SECRET })).toMatchObject({
      auth: { jwks_url: AUTH_JWKS_URL },
      signing_secret: SIGNING_SECRET,
    });
  });

  test('SIGNING_SECRET signs where there is one, and AUTH_SECRET otherwise', () => {
    expect(readConfig(good).signing_secret).toBe(good.AUTH_SECRET);
    const SIGNING_SECRET = 's'.repeat(32);
    expect(readConfig({ ...good, SIGNING_SECRET }).signing_secret).toBe(SIGNING_SECRET);
  });

  test.each([
    [undefined, undefined],
    ['https://chat.example.com', 'https://chat.example.com'],
    ['https://chat.example.com/', 'https://chat.example.com'],
    ['http://10.0.0.1:8787/starwire/', 'http://10.0.0.1:8787/starwire'],
  ])('PUBLIC_URL %s', (PUBLIC_URL, public_url) => {
    expect(readConfig({ ...good, PUBLIC_URL }).public_url).toBe(public_url);
  });

  test('LIMITS replaces single limits and keeps the rest', () => {
    expect(readConfig({ ...good, LIMITS: '{"open_turns":3}' }).limits).toEqual({
      ...DEFAULT_LIMITS,
      open_turns: 3,
    });
  });
});

describe('a gateway in the words of the Hermes web UI', () => {
  const upstreamOf = (env: object) => readConfig({ ...good, ...env }).upstream;

  test.each(['gateway', 'api_server', 'api-server', ' Gateway '])('%s is one', (word) => {
    expect(upstreamOf({ HERMES_WEBUI_CHAT_BACKEND: word, API_SERVER_KEY: 'key' })).toMatchObject({
      ...{ mode: 'openai', url: 'http://127.0.0.1:8642/v1', api_key: 'key' },
    });
  });

  test.each(['true', '1', 'yes', 'legacy', ''])('"%s" is none', (word) => {
    expect(upstreamOf({ HERMES_WEBUI_CHAT_BACKEND: word }).mode).toBe('demo');
  });

  test('its address and key; what UPSTREAM_MODE names goes before it', () => {
    const hermes = {
      HERMES_WEBUI_CHAT_BACKEND: 'gateway',
      HERMES_WEBUI_GATEWAY_BASE_URL: 'https://hermes.example/',
      HERMES_WEBUI_GATEWAY_API_KEY: 'own',
      API_SERVER_KEY: 'other',
    };
    expect(upstreamOf({ ...hermes, UPSTREAM_MODE: 'demo' })).toMatchObject({
      ...{ mode: 'openai', url: 'https://hermes.example/v1', api_key: 'own' },
    });
    expect(upstreamOf({ ...webhook, ...hermes })).toMatchObject({
      mode: 'webhook',
      url: webhook.UPSTREAM_URL,
    });
  });
});

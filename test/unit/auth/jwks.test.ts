import type { ServerResponse } from 'node:http';
import { jwtVerify, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RemoteKeys } from '../../../src/auth/jwks.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { FakeKeys, type ProviderKey, providerKey } from '../../integration/fake-keys.ts';

const limits = { ...DEFAULT_LIMITS, jwks_timeout_ms: 300 };
const { jwks_fresh_ms, jwks_kept_ms, jwks_cooldown_ms } = limits;
const [first, second] = [await providerKey('first', 'RS256'), await providerKey('second')];

let provider: FakeKeys;
let keys: RemoteKeys;
let start: number;

/** Only the clock that is read is ours: real requests go on taking their time. */
const at = (ms: number) => vi.setSystemTime(start + ms);
const verify = async (key: ProviderKey) =>
  (await jwtVerify(await key.sign({ sub: 'ada' }), keys.get, { algorithms: ['RS256', 'ES256'] })).payload.sub;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  start = Date.now();
  provider = await FakeKeys.start(first);
  keys = new RemoteKeys(provider.url, limits);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await provider.stop();
});

describe('P-ID-1 the keys of an identity provider', () => {
  test('are read once while they are fresh, and anew after that', async () => {
    for (let n = 0; n < 5; n++) expect(await verify(first)).toBe('ada');
    expect(provider.asked).toBe(1);
    at(jwks_fresh_ms);
    expect(await verify(first)).toBe('ada');
    expect(provider.asked).toBe(2);
  });

  test('a key that was rotated in counts as soon as a token names it', async () => {
    await verify(first);
    provider.keys = [first, second];
    at(jwks_cooldown_ms);
    expect(await verify(second)).toBe('ada');
    expect(provider.asked).toBe(2);
  });

  test('a key that was rotated out counts no more once they are read anew', async () => {
    await verify(first);
    provider.keys = [second];
    at(jwks_fresh_ms);
    await expect(verify(first)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('made-up names of keys do not make us hammer the provider', async () => {
    await verify(first);
    for (let n = 0; n < 20; n++) {
      at(n * (jwks_cooldown_ms / 10));
      await expect(verify(second)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
    expect(provider.asked).toBe(2);
  });

  test('many at once read them once', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => verify(first)))).toHaveLength(20);
    expect(provider.asked).toBe(1);
  });
});

const faults: [string, (response: ServerResponse) => void][] = [
  ['answers 503', (response) => response.writeHead(503).end('down')],
  ['redirects', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['answers with a page', (response) => response.end('<html>')],
  ['answers with another object', (response) => response.end('{"keys":"none"}')],
  ['answers with a key that is none', (response) => response.end('{"keys":[7]}')],
  ['says nothing', () => undefined],
  ['breaks off', (response) => response.write('{"keys":[', () => response.destroy())],
  ['never ends', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)],
];

describe.each(faults)('P-ID-1 a provider that %s', (_, fault) => {
  beforeEach(() => {
    provider.fault = fault;
  });

  test('is an outage of ours before there are any keys, and is asked again', async () => {
    await expect(verify(first)).rejects.toMatchObject({ code: 'internal' });
    provider.fault = undefined;
    at(5_000);
    expect(await verify(first)).toBe('ada');
  });

  test('leaves the old keys in force for a while, and not for ever', async () => {
    provider.fault = undefined;
    await verify(first);
    provider.fault = fault;
    at(jwks_fresh_ms + 1);
    expect(await verify(first)).toBe('ada');
    // An unknown one may be new: nobody is signed out for it.
    at(jwks_fresh_ms + 3_000);
    await expect(verify(second)).rejects.toMatchObject({ code: 'internal' });
    at(jwks_fresh_ms + jwks_kept_ms);
    await expect(verify(first)).rejects.toMatchObject({ code: 'internal' });
    provider.fault = undefined;
    at(jwks_fresh_ms + jwks_kept_ms + 2_000);
    expect(await verify(first)).toBe('ada');
  });
});

test('P-ID-1 a token without a signature asks for no key', async () => {
  const token = new UnsecuredJWT({ sub: 'ada' }).encode();
  await expect(jwtVerify(token, keys.get, { algorithms: ['RS256', 'ES256'] })).rejects.toThrow();
  expect(provider.asked).toBe(0);
});

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Vault } from '../../../src/auth/vault.ts';

const key = () => new Uint8Array(randomBytes(32));
const [old, fresh] = [key(), key()];
const place = ['tenants', 'acme', 'api_key'];

describe('secrets at rest', () => {
  test('open where they were sealed, and show nothing of themselves', async () => {
    const vault = new Vault([old]);
    const [one, two] = [await vault.seal('sk-söcret', place), await vault.seal('sk-söcret', place)];
    expect(one).not.toBe(two);
    expect(Buffer.from(one, 'base64url').includes('cret')).toBe(false);
    for (const sealed of [one, two]) expect(await vault.open(sealed, place)).toBe('sk-söcret');
  });

  test.each([
    ['another tenant', ['tenants', 'globex', 'api_key']],
    ['another column', ['tenants', 'acme', 'webhook_secrets']],
    ['a place that reads the same', ['tenants', 'acme","api_key']],
  ])('do not open for %s', async (_, elsewhere) => {
    const vault = new Vault([old]);
    const sealed = await vault.seal('sk-secret', place);
    await expect(vault.open(sealed, elsewhere)).rejects.toMatchObject({ code: 'upstream_not_configured' });
  });

  test('do not open once a bit of them has changed', async () => {
    const vault = new Vault([old]);
    const bytes = Buffer.from(await vault.seal('sk-secret', place), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ 1;
      await expect(vault.open(bent.toString('base64url'), place)).rejects.toThrow('ENCRYPTION_KEY');
    }
    await expect(vault.open('', place)).rejects.toThrow('ENCRYPTION_KEY');
  });

  test('rotate: the first key seals, both open, and then the old one can go', async () => {
    const before = await new Vault([old]).seal('sk-secret', place);
    const both = new Vault([fresh, old]);
    expect(await both.open(before, place)).toBe('sk-secret');
    const after = await both.seal('sk-secret', place);
    expect(await new Vault([fresh]).open(after, place)).toBe('sk-secret');
    await expect(new Vault([old]).open(after, place)).rejects.toThrow('api_key');
    await expect(new Vault([fresh]).open(before, place)).rejects.toThrow('api_key');
  });

  test('cannot be sealed without a key, which is named', async () => {
    await expect(new Vault([]).seal('sk-secret', place)).rejects.toMatchObject({
      code: 'upstream_not_configured',
      message: expect.stringContaining('ENCRYPTION_KEY'),
    });
  });
});

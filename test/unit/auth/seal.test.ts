import { describe, expect, test } from 'vitest';
import { Seal } from '../../../src/auth/seal.ts';

const seal = new Seal('one-secret-one-secret-one-secret-00');
const other = new Seal('two-secret-two-secret-two-secret-00');

describe('ids that the server makes', () => {
  test.each(['turn', 'req', 'file'] as const)('of a %s prove who made them, and of what kind', (kind) => {
    const id = seal.newId(kind);
    expect(id).toMatch(new RegExp(`^${kind}_[\\w-]{24}$`));
    expect(seal.isOurs(kind, id)).toBe(true);
    expect(other.isOurs(kind, id)).toBe(false);
    for (const another of (['turn', 'req', 'file'] as const).filter((one) => one !== kind))
      expect(seal.isOurs(another, id.replace(kind, another))).toBe(false);
    expect(seal.isOurs(kind, id.slice(0, -8))).toBe(false);
  });

  test.each(['msg', 'prompt', 'conv', 'ses', 'key'] as const)(
    'of a %s are unguessable and no longer',
    (kind) => {
      expect(seal.newId(kind)).toMatch(new RegExp(`^${kind}_[\\w-]{16}$`));
      expect(seal.newId(kind)).not.toBe(seal.newId(kind));
    },
  );
});

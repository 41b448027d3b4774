import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { ofAllTenants, ofTenant } from '../../src/records/scope.ts';

test('a statement of a tenant that does not name it is refused; one that does sees its rows alone', async () => {
  const insert = 'INSERT INTO api_keys (tenant, id, hash, user, created_at) VALUES (?1, ?2, ?3, ?4, 0)';
  for (const tenant of ['acme', 'globex'])
    await ofTenant(env.DB, tenant).statement(insert, `key-${tenant}`, `hash-${tenant}`, 'ann').run();

  const acme = ofTenant(env.DB, 'acme');
  expect(() => acme.statement('SELECT id FROM api_keys WHERE user = ?2', 'ann')).toThrow(
    /forgets its tenant/,
  );
  const own = await acme.statement('SELECT id FROM api_keys WHERE tenant = ?1 AND user = ?2', 'ann').all();
  expect(own.results).toEqual([{ id: 'key-acme' }]);
  const all = await ofAllTenants(env.DB).statement('SELECT id FROM api_keys WHERE user = ?1', 'ann').all();
  expect(all.results).toHaveLength(2);
});

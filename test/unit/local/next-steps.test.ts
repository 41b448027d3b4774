import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { nextSteps } from '../../../src/local/next-steps.ts';

const origin = 'http://127.0.0.1:8787';
const AUTH_SECRET = 'a-secret-of-thirty-two-bytes-or-more';

test('P-RUN-1 the sign-in link carries a token for "you" that lasts twelve hours', async () => {
  const steps = await nextSteps(origin, { AUTH_SECRET, INTERNAL_TOKEN: 'one', DEV_AUTH: 'true' });
  const token = /http:\/\/127\.0\.0\.1:8787\/#token=(\S+)/.exec(steps.join('\n'))?.[1] ?? '';
  const { payload } = await jwtVerify(token, new TextEncoder().encode(AUTH_SECRET), {
    algorithms: ['HS256'],
  });
  expect(payload).toMatchObject({ sub: 'you', name: 'You', tenant: 'default' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 60 * 60);
});

test('the example call carries one token of several', async () => {
  const steps = await nextSteps(origin, { AUTH_SECRET, INTERNAL_TOKEN: 'one, two', DEV_AUTH: 'true' });
  expect(steps.join('\n')).toContain(`curl ${origin}/internal/outbound -H 'Authorization: Bearer one'`);
});

test('without DEV_AUTH nothing secret is printed', async () => {
  expect(await nextSteps(origin, { AUTH_SECRET, INTERNAL_TOKEN: 'one' })).toEqual([]);
});

test('without AUTH_SECRET there is no link, for nobody could verify its token', async () => {
  const steps = await nextSteps(origin, { INTERNAL_TOKEN: 'one', DEV_AUTH: 'true' });
  expect(steps.join('\n')).not.toContain('#token=');
});

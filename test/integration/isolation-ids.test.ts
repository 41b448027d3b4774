import { describe, expect, test } from 'vitest';
import { addressOf, SURFACES } from '../surfaces.ts';
import { useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: JSON.stringify({ messages_burst: 1_000 }) } });

/** An address with `..` as one of its parts is another address before it is sent. */
const fitsAddress = (id: string) => id !== '.' && id !== '..';

/** Names that some layer might take for another one's, or for more than a name. */
const LOOK_ALIKES = [
  'a:b',
  'a%3Ab',
  'a%3ab',
  'a/b',
  'a%2Fb',
  'a%252Fb',
  'a\\b',
  'a b',
  'a+b',
  'a%20b',
  '..',
  '../a',
  '.',
  'é',
  'e\u0301',
  'a',
  'A',
  'а', // Cyrillic
  'ａ', // full width
  'a\u200b',
  '😀',
  '","x',
  "'; DROP TABLE messages; --",
  'default","a',
  '%00',
  'x'.repeat(128),
  `${'x'.repeat(127)}y`,
  '漢'.repeat(128),
];

describe('ids of users are compared by code unit, and are nothing but ids', () => {
  test('each of many that look alike sees what was said to them alone', async () => {
    const people = await Promise.all(LOOK_ALIKES.map((sub) => world().person({ sub })));
    const sent = await world().outbound(
      people.map(({ channel, id }) => ({ channel, kind: 'message', text: `for ${id}` })),
    );
    expect(sent.body.results.flatMap(({ error }) => error ?? [])).toEqual([]);
    for (const person of people) {
      const { status, body } = await world().as<{ messages: { text: string }[] }>(
        person,
        '/api/conversations/default/messages',
      );
      expect(status).toBe(200);
      expect(body.messages.map(({ text }) => text)).toEqual([`for ${person.id}`]);
      const tab = await world().connect(person);
      expect(tab.all('welcome')[0]?.user.id).toBe(person.id);
      if (!fitsAddress(person.id)) continue;
      const { body: online } = await world().internal(`/users/${encodeURIComponent(person.id)}`);
      expect(online).toMatchObject({ online: true, sessions: [{ user_id: person.id }] });
      await tab.close();
    }
  });

  test('conversations likewise', async () => {
    const person = await world().person();
    for (const conversation of LOOK_ALIKES)
      await world().outbound({
        channel: person.channel,
        kind: 'message',
        conversation,
        text: `in ${conversation}`,
      });
    for (const conversation of LOOK_ALIKES.filter(fitsAddress)) {
      const { body } = await world().as<{ messages: { text: string }[] }>(
        person,
        `/api/conversations/${encodeURIComponent(conversation)}/messages`,
      );
      expect(body.messages.map(({ text }) => text)).toEqual([`in ${conversation}`]);
    }
  });

  test('a tenant of the same letters is another one, and none that is no name', async () => {
    for (const tenant of ['A', 'ａ', 'a:b', 'a/b', '../a', '.a', '-a', 'a\u0301', 'x'.repeat(64)])
      expect((await world().as(await world().person({ tenant }), '/api/me')).status).toBe(401);
    for (const tenant of ['a', 'a.b', 'a-b', 'a_b', 'x'.repeat(63)])
      expect((await world().as(await world().person({ tenant }), '/api/me')).status).toBe(200);
  });
});

describe('ids in addresses that are none of ours', () => {
  const odd = [
    ...LOOK_ALIKES,
    'x'.repeat(129),
    'x'.repeat(5_000),
    'a\u0000b',
    'a\nb',
    `file_${'A'.repeat(24)}`,
    `req_${'A'.repeat(24)}`,
    `turn_${'A'.repeat(24)}`,
    `key_${'A'.repeat(24)}`,
    '__proto__',
    'constructor',
  ];
  const routes = Object.keys(SURFACES).filter(
    (name) =>
      /:\w/.test(name) &&
      !['first frame', 'anyone'].includes(SURFACES[name]?.who ?? '') &&
      !name.includes('/internal/'),
  );

  test.each(routes)('%s: not found or bad, and never a fault', async (name) => {
    const person = await world().person({ roles: ['customer_operator'] });
    for (const id of odd.filter(fitsAddress)) {
      const { method, path } = addressOf(name, id);
      const fields =
        method === 'GET' || method === 'DELETE'
          ? { method }
          : { method, body: { client_id: 'x', value: 'y' } };
      const { status, body } = await world().as<object>(person, path, fields);
      // What is one's own may be called anything.
      const own = status === 200 && /"(?:messages|data)":\[\]/.test(JSON.stringify(body));
      if (!own)
        expect([id, status]).toEqual([id, expect.toSatisfy((one) => [400, 404, 405].includes(Number(one)))]);
      expect(JSON.stringify(body)).not.toMatch(/\\n\s+at /);
    }
  });

  test('bytes that are no UTF-8 are no fault either', async () => {
    const person = await world().person();
    for (const id of ['%', '%zz', '%ff', '%c3%28', '%ed%a0%80', '%00'])
      for (const path of [`/api/turns/${id}/cancel`, `/api/prompts/${id}/answer`])
        expect(
          (await world().as(person, path, { body: { client_id: 'x', value: 'y' } })).status,
        ).toBeLessThan(500);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ask, clientsOf, type Outcome } from './bridge-clients.ts';
import { FAULTS, GOOD } from './bridge-table.ts';
import { type Answer, chunk, FakeOpenAi, streamed } from './fake-openai.ts';
import { startServer } from './server.ts';
import { World } from './world.ts';

/** The golden table against every client, all at once: faults that take their time take it together. */

const answers = (table: Record<string, { does: Answer }>) =>
  Object.fromEntries(Object.entries(table).map(([name, { does }]) => [name, does]));

let fake: FakeOpenAi;
let world: World;
beforeAll(async () => {
  fake = await FakeOpenAi.start({
    ...answers(FAULTS),
    ...answers(GOOD),
    'which model': streamed(chunk({}, 'stop')),
  });
  const LIMITS = JSON.stringify({ bridge_headers_ms: 4_000, bridge_silence_ms: 3_000 });
  world = new World(await startServer({ env: { ...fake.env, LIMITS, UPSTREAM_MODEL: 'mapped' } }));
});
afterAll(async () => {
  await world?.server.stop();
  await fake?.stop();
});

const ids = new Map(Object.keys({ ...FAULTS, ...GOOD }).map((name, i) => [name, `user-${i}`]));

async function outcomes(asks: Record<string, Ask>, name: string): Promise<Record<string, Outcome>> {
  return Object.fromEntries(
    await Promise.all(Object.entries(asks).map(async ([client, ask]) => [client, await ask(name)] as const)),
  );
}

const all = (asks: Record<string, Ask>, outcome: object) =>
  Object.fromEntries(Object.keys(asks).map((client) => [client, outcome]));

/** An error that tells all of these. */
const telling = (...texts: string[]) =>
  expect.stringMatching(
    new RegExp(texts.map((text) => `(?=.*${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')})`).join(''), 's'),
  );

test.concurrent.each(Object.entries(FAULTS))(
  'P-BR-4 %s: every client is told, and keeps what was said',
  async (name, { type, message, text }) => {
    const { streaming, whole } = await clientsOf(world, ids.get(name) ?? '');
    const [streamed, whole_] = await Promise.all([outcomes(streaming, name), outcomes(whole, name)]);
    const error = telling(type, message);
    expect(streamed).toEqual(all(streaming, { text, error }));
    expect(whole_).toEqual(all(whole, { text: '', error }));
  },
);

test.concurrent.each(Object.entries(GOOD))(
  'P-BR-3 %s is a whole answer to every client',
  async (name, { text }) => {
    const { streaming, whole } = await clientsOf(world, ids.get(name) ?? '');
    const [streamed, whole_] = await Promise.all([outcomes(streaming, name), outcomes(whole, name)]);
    expect(streamed).toEqual(all(streaming, { text }));
    expect(whole_).toEqual(all(whole, { text }));
  },
);

test('P-BR-4 a refused connection: every client is told', async () => {
  const { streaming, whole } = await clientsOf(world, 'user-of-nothing');
  const asks = {
    ...streaming,
    ...Object.fromEntries(Object.entries(whole).map(([name, ask]) => [`${name} whole`, ask])),
  };
  const found = await fake.down(() => outcomes(asks, 'nobody there'));
  expect(found).toEqual(all(asks, { text: '', error: telling('upstream_unreachable') }));
});

test('P-BR-1 UPSTREAM_MODEL is asked for, whatever a client names', async () => {
  const { whole } = await clientsOf(world, 'user-of-models');
  await whole['openai']?.('which model');
  expect(fake.call('which model').body['model']).toBe('mapped');
});

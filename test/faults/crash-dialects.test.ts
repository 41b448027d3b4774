import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { World } from '../integration/world.ts';
import type { Asker } from './askers/asker.ts';
import { BishengAsker } from './askers/bisheng.ts';
import { HermesAsker } from './askers/hermes.ts';
import { KonstructAsker } from './askers/konstruct.ts';
import { OpenAiAsker } from './askers/openai.ts';
import { Battered, run_ms } from './battered.ts';
import { counts } from './post.ts';
import { Random } from './random.ts';
import { underFire } from './scene.ts';
import { Service } from './service.ts';

/** The native wires have schedules of their own: `crash.test.ts`, `crash-webhook.test.ts`. */
const CLIENTS: Record<string, (world: World, random: Random) => Promise<Asker>> = {
  openai: OpenAiAsker.of,
  konstruct: KonstructAsker.of,
  bisheng: BishengAsker.of,
  hermes: HermesAsker.of,
};
/** People at each of them. */
const PEOPLE = 2;

const random = Random.fromEnvironment('crash-dialects');
const service = new Service(random.fork('service'));
const askers = new Map<string, Asker[]>();
let battered: Battered | undefined;

/** The whole run; the tests look at what it left behind. */
beforeAll(async () => {
  battered = await Battered.behind(service);
  const { world } = battered;
  for (const [name, of] of Object.entries(CLIENTS)) {
    const people = Array.from({ length: PEOPLE }, (_, n) => of(world, random.fork(`${name} ${n}`)));
    askers.set(name, await Promise.all(people));
  }
  await underFire(battered, [], random.fork('kills'), async (signal) => {
    await Promise.all([...askers.values()].flat().map((asker) => asker.converse(signal)));
    await service.done();
  });
  const facts = [...askers].map(([name, people]) => [
    name,
    people.map(({ asked, facts }) => ({ asked: asked.length, ...facts })),
  ]);
  console.log(
    'crash-dialects:',
    JSON.stringify({ ...battered.kills, ...counts, ...Object.fromEntries(facts) }),
  );
}, run_ms);

afterAll(async () => {
  await battered?.end();
  service.close();
});

describe.each(Object.keys(CLIENTS))('SIGKILL and lost connections while people talk by %s', (name) => {
  const people = (): Asker[] => askers.get(name) ?? expect.fail('the run did not begin');

  test('P-WS-8 every question has its one reply, whole, whatever happened on the way', () => {
    for (const { asked } of people()) {
      expect(asked.length).toBeGreaterThan(0);
      expect(asked).toEqual(asked.map(({ text }) => ({ text, reply: service.replyTo(text) })));
    }
    expect(service.faults).toEqual([]);
  });

  test('P-WS-8 what its client was told, over all its connections, is exact in its own words', () => {
    for (const asker of people()) asker.expectExact();
  });

  test('P-WS-5, P-OA-7 every question is taken once, and delivered under one webhook-id however often', () => {
    const ids = people().flatMap(({ asked }) => asked.map(({ text }) => service.ids.get(text)?.size));
    expect(ids).toEqual(ids.map(() => 1));
  });

  test('P-DI-3 what is kept is what was asked and what was shown', async () => {
    for (const asker of people()) await asker.expectKept();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryRow } from '../../src/protocol/history.ts';
import { CLOSING, expectWellFormed, textOf } from '../integration/hermes.ts';
import { Battered, run_ms } from './battered.ts';
import { counts } from './post.ts';
import { Random } from './random.ts';
import { underFire } from './scene.ts';
import { Service } from './service.ts';
import { Asker } from './web-ui.ts';

const USERS = [0, 1, 2];

const random = Random.fromEnvironment('crash-hermes');
const service = new Service(random.fork('service'));
const askers: Asker[] = [];
let battered: Battered | undefined;

/** The whole run; the tests look at what it left behind. */
beforeAll(async () => {
  battered = await Battered.start({
    UPSTREAM_MODE: 'webhook',
    UPSTREAM_URL: await service.listen(),
    LIMITS: '{"messages_per_minute":100000,"messages_burst":10000}',
  });
  const { world } = battered;
  service.serve(world);
  for (const _ of USERS) askers.push(await Asker.of(world));
  await underFire(battered, [], random.fork('kills'), async (signal) => {
    await Promise.all(askers.map((asker, n) => asker.converse(random.fork(`user ${n}`), signal)));
    await service.done();
  });
  const facts = askers.map(({ runs, found }) => ({
    ...{ runs: runs.length, ...found },
    reconnected: runs.filter(({ connections }) => connections > 1).length,
    anew: runs.filter(({ anew }) => anew.length > 0).length,
  }));
  console.log('crash-hermes:', JSON.stringify({ ...battered.kills, ...counts, facts }));
}, run_ms);

afterAll(async () => {
  await battered?.end();
  service.close();
});

describe.each(USERS)('SIGKILL while user %i reads runs at the Hermes web UI', (n) => {
  const asker = (): Asker => askers[n] ?? expect.fail('the run did not begin');
  const messages = async (role: string): Promise<Extract<HistoryRow, { type: 'message' }>[]> =>
    (await asker().history()).flatMap((row) => (row.type === 'message' && row.role === role ? [row] : []));

  test('P-DI-3 every run ends once, and completed: its service was there all the time', () => {
    expect(asker().runs.length).toBeGreaterThan(0);
    for (const { events } of asker().runs) {
      const ends = events.filter(({ event }) => event === 'done' || CLOSING.has(event));
      expect(ends.map(({ event }) => event)).toEqual(['done', 'stream_end']);
      expect(events.filter(({ event }) => event === 'context_status')).toHaveLength(1);
    }
    expect(service.faults).toEqual([]);
  });

  test('P-WS-8 over all connections of a run event ids only grow; what is told anew is told from its beginning', () => {
    for (const { run, events, anew } of asker().runs) {
      expectWellFormed(run, events);
      expect(anew).toEqual(anew.map(() => 'context_status'));
    }
  });

  test('P-DI-3 the text of its tokens is the reply in the native history, and what the service said', async () => {
    const replies = await messages('assistant');
    expect(replies.map(({ turn }) => turn)).toEqual(asker().runs.map(({ run }) => run));
    for (const [i, { run, asked, events }] of asker().runs.entries()) {
      expect(textOf(events)).toBe(replies[i]?.text);
      const [id = ''] = service.ids.get(run) ?? [];
      expect(replies[i]?.text).toBe(service.replyTo(id, asked));
    }
  });

  test('P-WS-5 history has every message once, in the order in which it was sent', async () => {
    const sent = asker().runs.map(({ run, asked }) => ({ turn: run, text: asked }));
    expect((await messages('user')).map(({ turn, text }) => ({ turn, text }))).toEqual(sent);
  });
});

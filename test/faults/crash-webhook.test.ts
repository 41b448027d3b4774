import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MessageFrame } from '../../src/protocol/server-frames.ts';
import type { World } from '../integration/world.ts';
import { Battered, run_ms } from './battered.ts';
import { counts } from './post.ts';
import { Random } from './random.ts';
import { endingsOf, expectConverged, expectExact, leave, type Scene, stage, underFire } from './scene.ts';
import { Service } from './service.ts';
import type { Viewer } from './viewer.ts';

const USERS = [0, 1, 2, 3, 4, 5];
/** Messages of a user whose replies are awaited at once; the contract allows 8 open turns. */
const AT_ONCE = 3;

const random = Random.fromEnvironment('crash-webhook');
const service = new Service(random.fork('service'));
const scenes: Scene[] = [];
/** The `client_id`s that each user sent. */
const sent: string[][] = [];
let battered: Battered | undefined;

/** The whole run; the tests look at what it left behind. */
beforeAll(async () => {
  battered = await Battered.behind(service);
  for (const _ of USERS) scenes.push(await stage(battered.world));
  const began = performance.now();
  await underFire(battered, scenes, random.fork('kills'), async (signal) => {
    await Promise.all(
      scenes.map(async ({ viewers: [viewer] }, n) => {
        sent[n] = await converse(viewer, random.fork(`user ${n}`), signal);
      }),
    );
    await service.done();
  });
  const seconds = Math.round((performance.now() - began) / 1000);
  const messages = sent.map(({ length }) => length);
  const redelivered = [...service.deliveries.values()].filter((count) => count > 1).length;
  const failed = scenes.flatMap(({ reader }) =>
    endingsOf(reader.journal).filter(({ status }) => status !== 'completed'),
  );
  const facts = {
    ...battered.kills,
    seconds,
    messages,
    redelivered,
    failed: failed.map(({ turn, error }) => `${error?.type} ${turn}`),
  };
  console.log('crash-webhook:', JSON.stringify({ ...facts, ...counts }));
}, run_ms);

afterAll(async () => {
  for (const scene of scenes) leave(scene);
  await battered?.end();
  service.close();
});

/** Says one thing after the other until `signal`, connected or not, and waits for the last replies. */
async function converse(viewer: Viewer, random: Random, signal: AbortSignal): Promise<string[]> {
  const said: string[] = [];
  const open = (): number => viewer.unsent + viewer.openTurns;
  while (!signal.aborted) {
    said.push(viewer.client.message({ text: random.id('question') }));
    await viewer.until('state', () => open() < AT_ONCE);
  }
  // Between its ack and its turn a message is neither unsent nor open.
  await viewer.until('state', () => open() === 0 && viewer.unanswered === 0);
  return said;
}

describe.each(USERS)('SIGKILL while user %i talks to a webhook', (n) => {
  const scene = (): Scene => scenes[n] ?? expect.fail('the run did not begin');
  const world = (): World => battered?.world ?? expect.fail('the run did not begin');
  const messages = (role: MessageFrame['role']): MessageFrame[] =>
    scene().reader.journal.flatMap((frame) =>
      frame.type === 'message' && frame.role === role && frame.turn !== undefined ? [frame] : [],
    );

  test('P-WS-5 every message is taken once, in the order in which it was sent', () => {
    expect(messages('user').map(({ client_id }) => client_id)).toEqual(sent[n]);
    for (const { refused } of scene().viewers) expect(refused).toEqual([]);
  });

  test('P-UP-1 every message is delivered, under one webhook-id however often', () => {
    const ids = messages('user').map(({ text }) => service.ids.get(text)?.size);
    expect(ids).toEqual(messages('user').map(() => 1));
    expect(service.faults).toEqual([]);
  });

  test('P-WS-7 every turn ends once: with its one reply, or with an error that says why', () => {
    const endings = endingsOf(scene().reader.journal);
    expect(endings.map(({ turn }) => turn).sort()).toEqual(
      messages('user')
        .map(({ turn }) => turn)
        .sort(),
    );
    for (const { turn, status, error } of endings) {
      const replies = messages('assistant').filter((reply) => reply.turn === turn);
      const asked = messages('user').find((one) => one.turn === turn)?.text ?? '';
      const whole = replies.filter(({ partial }) => !partial).map(({ text }) => text);
      expect(whole).toEqual(status === 'completed' ? [service.replyTo(asked)] : []);
      const why = { label: expect.stringMatching(/./), message: expect.stringMatching(/./) };
      expect(error).toEqual(status === 'completed' ? undefined : expect.objectContaining(why));
    }
  });

  test('P-UP-3 no turn fails: its service was there all the time', () => {
    expect(endingsOf(scene().reader.journal).filter(({ status }) => status !== 'completed')).toEqual([]);
    expect(service.cancelled.size).toBe(0);
  });

  test('P-WS-8 a reader that resumes gets every entry once, in order, and whole texts', () => {
    expectExact(scene());
  });

  test('P-WS-8 every tab shows what history shows, and found nothing missing on the wire', async () => {
    await expectConverged(world(), scene());
  });
});

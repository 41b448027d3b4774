import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Answer, type Delivered, FakeUpstream, useUpstream, verify } from './fake-upstream.ts';
import { startServer } from './server.ts';
import { send, statusOf } from './v1.ts';
import { World } from './world.ts';

/** Upstreams that refuse, are slow or are not there (P-UP-1, P-UP-3): the first delays of the schedule, over real HTTP. */

/** How late the fake upstream may notice a delivery on a busy machine: the time between two is short by as much. */
const NOTICED_MS = 250;

const ATTEMPT_MS = 400;
const SECRETS = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString('base64')}`);

const { world, upstream } = useUpstream({
  LIMITS: JSON.stringify({ webhook_attempt_ms: ATTEMPT_MS }),
  UPSTREAM_WEBHOOK_SECRET: SECRETS.join(','),
});
/** How the attempts of a delivery with a certain text are answered, one after the other; the last one for all others. */
const answers = new Map<string, Answer[]>();

beforeAll(async () => {
  upstream().answer = (delivered) => {
    const { turn, text } = delivered.body;
    const attempt = upstream().deliveries.filter(({ body }) => body.turn === turn).length;
    const steps = answers.get(text) ?? [accept];
    (steps[attempt - 1] ?? steps.at(-1) ?? accept)(delivered);
  };
});

const accept = ({ response }: Delivered): void => void response.end();
const status =
  (code: number, headers: Record<string, string> = {}) =>
  ({ response }: Delivered): void =>
    void response.writeHead(code, headers).end();
/** Never answers. */
const silent = (): void => undefined;

/** Has a new user say something whose deliveries are answered so. */
async function asked(...steps: Answer[]) {
  const text = randomUUID();
  answers.set(text, steps);
  const person = await world().person();
  const client = await world().connect(person);
  client.send({ type: 'message', client_id: 'c', text });
  const { turn = '' } = await client.frame('ack');
  return { channel: person.channel, client, turn };
}

const ended = (client: Client, turn: string) =>
  client.frame('turn', (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status));

describe('P-UP-3 refusals', () => {
  test.each([400, 401, 404, 409, 410, 422])('P-UP-3 status %i fails the turn at once', async (code) => {
    const { client, turn } = await asked(status(code));
    expect(await ended(client, turn)).toMatchObject({
      status: 'failed',
      error: { type: 'upstream_rejected', message: expect.stringContaining(String(code)) },
    });
    expect(await upstream().of(turn)).toHaveLength(1);
  });

  test.each([301, 302, 303, 307, 308])(
    'P-UP-1 a redirect (%i) is a failure and is not followed',
    async (code) => {
      const before = upstream().deliveries.length;
      const { client, turn } = await asked(status(code, { location: upstream().url }));
      expect(await ended(client, turn)).toMatchObject({
        status: 'failed',
        error: { type: 'upstream_rejected' },
      });
      expect(
        upstream()
          .deliveries.slice(before)
          .filter(({ body }) => body.turn === turn),
      ).toHaveLength(1);
    },
  );

  test.each([200, 201, 202, 204])('P-UP-3 status %i accepts', async (code) => {
    const { channel, client, turn } = await asked(status(code));
    await upstream().of(turn);
    await send(world(), { channel, kind: 'done', turn, text: 'thank you' });
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
  });
});

describe.concurrent('P-UP-3 retries', () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 599])(
    'P-UP-3 status %i is retried after a second, under the same webhook-id and with a new signature',
    async (code) => {
      const { channel, client, turn } = await asked(status(code), accept);
      const [first, second] = await upstream().of(turn, 2);
      if (!first || !second) return expect.fail('there were not two attempts');
      expect(second.at - first.at).toBeGreaterThanOrEqual(1_000 - NOTICED_MS);
      expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
      expect(second.raw).toBe(first.raw);
      for (const delivered of [first, second]) verify(SECRETS[0] ?? '', delivered);
      expect(await statusOf(world(), turn)).toBe('queued');
      await send(world(), { channel, kind: 'done', turn, text: 'at last' });
      expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    },
  );

  test('P-UP-3 Retry-After is waited for, in seconds and as a date', async () => {
    const date = new Date(Date.now() + 4_000).toUTCString();
    const both = await Promise.all([
      asked(status(429, { 'retry-after': '2' }), accept),
      asked(status(503, { 'retry-after': date }), accept),
    ]);
    const [seconds, dated] = await Promise.all(both.map(({ turn }) => upstream().of(turn, 2)));
    expect((seconds?.[1]?.at ?? 0) - (seconds?.[0]?.at ?? 0)).toBeGreaterThanOrEqual(2_000 - NOTICED_MS);
    expect(dated?.[1]?.at).toBeGreaterThanOrEqual(Date.parse(date) - NOTICED_MS);
  });

  test('P-UP-3 an attempt that is not answered in time is over, and made again', async () => {
    const { turn } = await asked(silent, accept);
    const [first, second] = await upstream().of(turn, 2);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(ATTEMPT_MS + 1_000 - NOTICED_MS);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  });

  test('P-UP-3 an attempt whose connection breaks is made again', async () => {
    const { turn } = await asked(({ response }) => void response.destroy(), accept);
    expect(await upstream().of(turn, 2)).toHaveLength(2);
  });

  test('P-UP-3 an outbound event of the turn ends the retries', async () => {
    const control = await asked(status(503), accept);
    const { channel, client, turn } = await asked(status(503), accept);
    await upstream().of(turn);
    await send(world(), { channel, kind: 'chunk', turn, text: 'I did get it' });
    // The other one failed before: by the time of its second attempt and of another round, this one's would have come.
    await upstream().of(control.turn, 2);
    const later = await asked(status(503), accept);
    await upstream().of(later.turn, 2);
    expect(await upstream().of(turn)).toHaveLength(1);
    await send(world(), { channel, kind: 'done', turn });
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
  });

  test('P-WS-11 a turn that is cancelled between attempts is not delivered again', async () => {
    const { client, turn } = await asked(status(503), accept);
    await upstream().of(turn);
    client.send({ type: 'cancel', turn });
    expect(await ended(client, turn)).toMatchObject({ status: 'cancelled' });
    const later = await asked(status(503), accept);
    await upstream().of(later.turn, 2);
    const types = (await upstream().of(turn)).map(({ body }) => body.type);
    expect(types.filter((type) => type === 'message')).toHaveLength(1);
  });
});

describe('P-UP-1 rotation', () => {
  test('P-UP-1 with two secrets a delivery is signed by both, so that its receiver may know either', async () => {
    const { turn } = await asked(accept);
    const [delivered] = await upstream().of(turn);
    if (!delivered) return expect.fail('nothing was delivered');
    expect(String(delivered.headers['webhook-signature']).split(' ')).toHaveLength(2);
    for (const secret of SECRETS) verify(secret, delivered);
  });
});

describe('P-UP-3 an upstream that is not there', () => {
  test('P-UP-3 a message waits for it, also through a crash of the server, and is delivered once', async () => {
    const gone = await FakeUpstream.start();
    const { port, env } = gone;
    await gone.stop();
    const state = await mkdtemp(join(tmpdir(), 'starwire-state-'));
    const first = new World(await startServer({ env, state }));
    const person = await first.person();
    const client = await first.connect(person);
    client.send({ type: 'message', client_id: 'c', text: 'Is anybody there?' });
    const { turn = '' } = await client.frame('ack');
    for (const pid of first.server.runtimes()) process.kill(pid, 'SIGKILL');
    await first.server.kill();

    const back = await FakeUpstream.start(port);
    const second = new World(await startServer({ env, state }));
    // It may have died in the middle of an attempt: then the watchdog finds it after 30 s.
    await expect.poll(() => back.deliveries.length, { timeout: 45_000 }).toBe(1);
    await send(second, { channel: person.channel, kind: 'done', turn, text: 'Yes.' });
    expect(await statusOf(second, turn)).toBe('completed');
    expect(back.deliveries).toHaveLength(1);
    await second.server.stop();
    await back.stop();
    await rm(state, { recursive: true, force: true });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from './fake-upstream.ts';
import { type Server, startServer } from './server.ts';
import {
  all,
  apiKey,
  complete,
  type DataEvent,
  events,
  requestIdOf,
  resume,
  send,
  statusOf,
  told,
  turnFacts,
} from './v1.ts';
import { refused, World } from './world.ts';

/** Clients that go away, and servers that do (P-OA-6, P-OA-8, P-RUN-2). Each test has a server of its own. */

const LIMITS = { sse_grace_ms: 500, sse_heartbeat_ms: 500 };

let upstream: FakeUpstream;
let state: string;
const servers: Server[] = [];

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  state = await mkdtemp(join(tmpdir(), 'starwire-state-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await upstream.stop();
  await rm(state, { recursive: true, force: true });
});

async function start(env: Record<string, string> = upstream.env, limits: object = {}): Promise<World> {
  const server = await startServer({
    env: { ...env, LIMITS: JSON.stringify({ ...LIMITS, ...limits }) },
    state,
  });
  servers.push(server);
  return new World(server);
}

/** Takes in a stream until its connection breaks. */
function reading(response: Response): { list: DataEvent[]; broken: Promise<void> } {
  const list: DataEvent[] = [];
  const read = async () => {
    for await (const event of events(response)) list.push(event);
  };
  return { list, broken: expect(read()).rejects.toThrow() };
}

/** SIGKILL to all of a server, as on a machine that loses its power. */
async function loseAll(server: Server): Promise<void> {
  for (const pid of server.runtimes()) process.kill(pid, 'SIGKILL');
  await server.kill();
}

const cancelOf = (turn: string) => upstream.first((body) => body.type === 'cancel' && body.turn === turn);

describe('P-OA-6 a client that goes away', () => {
  test('P-OA-6 has its turn cancelled, and the upstream is told', async () => {
    const world = await start();
    const key = await apiKey(world, 'ada');
    const abort = new AbortController();
    const id = requestIdOf(await complete(world, key, { stream: true }, { signal: abort.signal }));
    const channel = `sse:${id}`;
    await send(world, { channel, kind: 'chunk', text: 'so far' });
    abort.abort();
    const { body } = await cancelOf(id);
    expect(body).toMatchObject({ channel_id: channel, user_id: 'ada', tenant: 'default' });
    expect(await statusOf(world, id)).toBe('cancelled');
    const late = await world.outbound({ channel, kind: 'chunk', text: 'late' });
    expect(late).toMatchObject(refused(410, 'turn_finished'));
  });

  test('P-OA-6 with X-Starwire-Detach has its turn go on', async () => {
    const world = await start();
    const key = await apiKey(world, 'ada');
    const leave = async (headers: Record<string, string>): Promise<string> => {
      const abort = new AbortController();
      const response = await complete(world, key, { stream: true }, { signal: abort.signal, headers });
      abort.abort();
      return requestIdOf(response);
    };
    const kept = await leave({ 'x-starwire-detach': 'true' });
    const lost = await leave({ 'x-starwire-detach': 'false' });
    // The other one went away later: by the time it is cancelled, this one would have been.
    await cancelOf(lost);
    await send(world, { channel: `sse:${kept}`, kind: 'done', text: 'Here it is' });
    expect(told(await all(await resume(world, key, kept)))).toMatchObject({ content: 'Here it is', ends: 1 });
  });

  test('P-OA-6 leaves the turn to other readers of the same stream', async () => {
    const world = await start();
    const key = await apiKey(world, 'ada');
    const abort = new AbortController();
    const both = await Promise.all(
      [1, 2].map(() => complete(world, key, { stream: true }, { signal: abort.signal })),
    );
    const [shared = '', lost = ''] = both.map(requestIdOf);
    const other = await resume(world, key, shared);
    abort.abort();
    await cancelOf(lost);
    await send(world, { channel: `sse:${shared}`, kind: 'done', text: 'Still here' });
    expect(told(await all(other))).toMatchObject({ content: 'Still here', ends: 1 });
  });
});

describe('P-OA-8 a stream that has ended', () => {
  test('P-OA-8 is forgotten after its time, and its key begins anew', async () => {
    const world = await start(upstream.env, { stream_retention_ms: 500 });
    const key = await apiKey(world, 'ada');
    const named = { headers: { 'idempotency-key': 'k' } };
    const answered = async (text: string) => {
      const response = await complete(world, key, { stream: true }, named);
      const id = requestIdOf(response);
      await send(world, { channel: `sse:${id}`, kind: 'done', text });
      expect(told(await all(response)).content).toBe(text);
      return id;
    };
    const id = await answered('first');
    const found = async () => {
      const response = await resume(world, key, id);
      await response.body?.cancel();
      return response.status;
    };
    await expect.poll(found, { timeout: 10_000 }).toBe(404);
    expect(await answered('second')).toBe(id);
  });
});

describe('P-RUN-2 a server that dies in the middle of a stream', () => {
  test('P-OA-4 leaves nothing that looks complete; a demo turn has failed when its client resumes', async () => {
    const world = await start({});
    const key = await apiKey(world, 'ada');
    const body = { stream: true, messages: [{ role: 'user', content: 'slow' }] };
    const response = await complete(world, key, body, { headers: { 'idempotency-key': 'k' } });
    const id = requestIdOf(response);
    const { list, broken } = reading(response);
    await expect.poll(async () => (await turnFacts(world, id)).text_length).toBeGreaterThan(0);
    await loseAll(world.server);
    await broken;
    expect(told(list)).toMatchObject({ finishes: [], ends: 0, errors: [] });

    const again = await start({});
    const rest = told(await all(await resume(again, key, id)));
    expect(rest).toMatchObject({ finishes: [], ends: 1, errors: [{ type: 'upstream_stream' }] });
    expect(rest.content).not.toBe('');
    expect(await statusOf(again, id)).toBe('failed');
  });

  test('P-OA-8 a webhook turn goes on where it was, for a client that resumes', async () => {
    const world = await start();
    const key = await apiKey(world, 'ada');
    const detached = { headers: { 'x-starwire-detach': 'true' } };
    const response = await complete(world, key, { stream: true }, detached);
    const id = requestIdOf(response);
    const channel = `sse:${id}`;
    const { list, broken } = reading(response);
    await send(world, { channel, kind: 'chunk', text: 'before the crash, ' });
    await expect.poll(() => told(list).content).toBe('before the crash, ');
    await loseAll(world.server);
    await broken;
    expect(told(list)).toMatchObject({ finishes: [], ends: 0, errors: [] });

    const again = await start();
    const resumed = await resume(again, key, id, list.at(-1)?.id);
    const more = { channel, kind: 'chunk', text: 'and after it', offset: 18 };
    await send(again, more, { channel, kind: 'done' });
    expect(told(await all(resumed))).toMatchObject({ content: 'and after it', finishes: ['stop'], ends: 1 });
  });

  test('P-OA-6 a client that does not come back after it has its turn cancelled', async () => {
    const world = await start();
    const response = await complete(world, await apiKey(world, 'ada'), { stream: true });
    const id = requestIdOf(response);
    const { broken } = reading(response);
    await send(world, { channel: `sse:${id}`, kind: 'chunk', text: 'so far' });
    await loseAll(world.server);
    await broken;
    const again = await start();
    await cancelOf(id);
    expect(await statusOf(again, id)).toBe('cancelled');
  });
});

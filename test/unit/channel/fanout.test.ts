import { describe, expect, test, vi } from 'vitest';
import { StarwireError } from '../../../src/protocol/errors.ts';
import { ANN, chunk, event, NOTHING, World } from './harness.ts';

const message = (text: string) => event({ kind: 'message', text });
const texts = (socket: { texts: string[] }) => socket.texts.slice(2);

describe('P-WS-4 fan-out', () => {
  test('P-WS-4 every durable frame and chunk goes to all sessions, the sender included, in the same order', () => {
    const world = new World();
    const tabs = [world.connect(), world.connect(), world.connect()];
    const [sender] = tabs;
    if (!sender) throw new Error('no tab');
    world.say(sender, 'hello', { client_id: 'c1' });
    const turn = sender.socket.of('ack')[0]?.turn ?? '';
    world.results(chunk(turn, 'a'), event({ kind: 'tool', turn, tool: 't', name: 'n', status: 'running' }));
    world.apply(chunk(turn, 'b'));
    const [first, ...others] = tabs.map(({ socket }) =>
      socket.texts.slice(2).filter((text) => !text.startsWith('{"type":"ack"')),
    );
    expect(first?.map((text) => JSON.parse(text).type)).toEqual([
      'message',
      'turn',
      'turn',
      'chunk',
      'tool',
      'chunk',
    ]);
    for (const other of others) expect(other).toEqual(first);
  });

  test('P-WS-4 a frame is serialised once, not once per session', () => {
    const count = (sessions: number): number => {
      const world = new World();
      for (let i = 0; i < sessions; i += 1) world.connect(NOTHING, { batch: i % 2 === 0 });
      const turn = world.turn();
      const stringify = vi.spyOn(JSON, 'stringify');
      try {
        world.results(message('to all'), chunk(turn, 'text'));
        return stringify.mock.calls.length;
      } finally {
        stringify.mockRestore();
      }
    };
    expect(count(40)).toBe(count(1));
  });

  test('P-WS-4 a dead session neither delays nor breaks another', () => {
    const world = new World();
    const [one, dead, other] = [world.connect(), world.connect(), world.connect()];
    dead.socket.dead = true;
    expect(world.apply(message('hello')).delivered).toBe(true);
    expect(texts(one.socket)).toEqual(texts(other.socket));
    expect(one.socket.of('message')).toHaveLength(1);
    expect(world.channel.sessions).toEqual([one.session, other.session]);
  });

  test('batch frames go only to those who asked, with the same frames in the same order', () => {
    const world = new World();
    const plain = world.connect();
    const batched = world.connect(NOTHING, { batch: true });
    world.results(...Array.from({ length: 5 }, (_, i) => message(`m${i}`)));
    expect(batched.socket.texts.at(-1)).toContain('{"type":"batch"');
    expect(plain.socket.texts.join()).not.toContain('"batch"');
    expect(batched.socket.frames.slice(1)).toEqual(plain.socket.frames.slice(1));
  });

  test('batch frames are cut at 64 KiB', () => {
    const world = new World();
    world.results(...Array.from({ length: 30 }, () => message('x'.repeat(10_000))));
    const { socket } = world.connect(NOTHING, { batch: true });
    expect(socket.of('message')).toHaveLength(30);
    expect(Math.max(...socket.texts.map((text) => text.length))).toBeLessThan(70_000);
    expect(socket.texts.length).toBeLessThan(10);
  });

  test('typing goes to the other sessions of a user, and from the upstream to all', () => {
    const world = new World();
    const [one, other] = [world.connect(), world.connect()];
    world.channel.receive(one.session, { type: 'typing', active: true, conversation: 'c' });
    expect(one.socket.of('typing')).toEqual([]);
    expect(other.socket.of('typing')).toEqual([
      { type: 'typing', active: true, sender: 'ann', conversation: 'c' },
    ]);
    world.apply(event({ kind: 'typing', active: true }));
    expect(one.socket.of('typing')).toEqual([{ type: 'typing', active: true, sender: 'star' }]);
    expect(world.journal).toEqual([]);
  });

  test('hibernation keeps the sessions: frames go on to the same sockets', () => {
    const world = new World();
    const tabs = [world.connect(), world.connect(NOTHING, { batch: true })];
    world.apply(message('before'));
    world.evict();
    expect(world.apply(message('after'))).toMatchObject({ delivered: true, seq: 2 });
    for (const { socket } of tabs) expect(socket.of('message').map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('close 4014: one session more than allowed is told and closed, the others go on', () => {
    const world = new World({ limits: { sessions_per_user: 2 } });
    world.connect();
    const gone = world.connect();
    const third = world.connect();
    expect(third.socket.closed?.code).toBe(4014);
    expect(third.socket.of('error')[0]?.code).toBe('rate_limited');
    world.drop(gone);
    expect(world.connect().socket.closed).toBeUndefined();
  });
});

describe('P-WS-12 tokens expire', () => {
  const expiring = (world: World) => world.connect(NOTHING, { exp: world.now / 1000 + 60 });

  test('P-WS-12 before a push: token_expired and close 4010, without the frame', () => {
    const world = new World();
    const { socket } = expiring(world);
    const other = world.connect();
    world.pass(60_000);
    world.apply(message('secret'));
    expect(socket.closed?.code).toBe(4010);
    expect(socket.types).toEqual(['welcome', 'ready', 'error']);
    expect(socket.of('error')[0]).toMatchObject({ code: 'token_expired', retryable: true });
    expect(other.socket.of('message')).toHaveLength(1);
  });

  test.each([
    ['a command', (world: World, tab: ReturnType<typeof expiring>) => world.say(tab, 'hello')],
    [
      'a bad frame',
      (world: World, tab: ReturnType<typeof expiring>) =>
        world.channel.malformed(tab.session, new StarwireError('bad_request', 'no')),
    ],
    [
      'a late refresh',
      (world: World, tab: ReturnType<typeof expiring>) =>
        world.channel.refreshed(tab.session, { ...ANN, exp: world.now / 1000 + 60 }),
    ],
  ])('P-WS-12 on %s: token_expired and close 4010, and nothing is applied', (_, act) => {
    const world = new World();
    const tab = expiring(world);
    world.pass(60_001);
    act(world, tab);
    expect(tab.socket.closed?.code).toBe(4010);
    expect(tab.socket.of('error').map(({ code }) => code)).toEqual(['token_expired']);
    expect(world.journal).toEqual([]);
  });

  test('P-WS-12 a refresh in time keeps the session, through hibernation too', () => {
    const world = new World();
    const tab = expiring(world);
    world.channel.refreshed(tab.session, { ...ANN, exp: world.now / 1000 + 600 });
    world.evict();
    world.pass(60_000);
    expect(world.apply(message('hello')).delivered).toBe(true);
    expect(tab.socket.closed).toBeUndefined();
  });

  test.each([
    ['user', { user: 'bob' }],
    ['tenant', { tenant: 'acme' }],
  ])('P-WS-12 a refresh for another %s: close 4003', (_, other) => {
    const world = new World();
    const tab = world.connect();
    world.channel.refreshed(tab.session, { ...ANN, ...other });
    expect(tab.socket.closed?.code).toBe(4003);
    expect(tab.socket.of('error')[0]?.code).toBe('forbidden');
  });
});

describe('P-WS-13 bad frames', () => {
  const bad = new StarwireError('bad_request', '"text" is missing', { field: 'text' });

  test('P-WS-13 each is told with its field, and the socket stays open', () => {
    const world = new World();
    const tab = world.connect();
    world.channel.malformed(tab.session, bad, 'c1');
    expect(tab.socket.of('error')).toMatchObject([{ code: 'bad_request', field: 'text', client_id: 'c1' }]);
    expect(tab.socket.closed).toBeUndefined();
  });

  test('P-WS-13 the tenth in a minute closes 1008; spread out they do not', () => {
    const world = new World();
    const [slow, fast] = [world.connect(), world.connect()];
    for (let i = 0; i < 30; i += 1) {
      world.channel.malformed(slow.session, bad);
      world.pass(6_700);
    }
    for (let i = 0; i < 9; i += 1) world.channel.malformed(fast.session, bad);
    expect(slow.socket.closed).toBeUndefined();
    expect(fast.socket.closed).toBeUndefined();
    world.channel.malformed(fast.session, bad);
    expect(fast.socket.closed?.code).toBe(1008);
    expect(fast.socket.of('error')).toHaveLength(10);
  });
});

describe('P-WS-14 slow consumers', () => {
  const big = (i: number) => message(`${i}${'x'.repeat(100_000)}`);

  test('P-WS-14 more than 1 MiB sent and not seen: close 4013, and a resume that misses nothing', () => {
    const world = new World();
    const [slow, quick] = [world.connect(), world.connect()];
    for (const tab of [slow, quick]) world.channel.receive(tab.session, { type: 'seen', seq: 0 });
    for (let i = 0; i < 14; i += 1) {
      world.apply(big(i));
      world.channel.receive(quick.session, { type: 'seen', seq: world.head });
    }
    expect(slow.socket.closed?.code).toBe(4013);
    expect(quick.socket.closed).toBeUndefined();
    expect(quick.socket.of('message')).toHaveLength(14);
    const had = slow.socket.of('message').map(({ seq }) => seq);
    const rest = world
      .connect(world.at(had.length))
      .socket.of('message')
      .map(({ seq }) => seq);
    expect([...had, ...rest]).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
  });

  test('P-WS-14 a client that never sends seen is measured by what its socket holds, where the runtime tells', () => {
    const world = new World();
    const [slow, quick, unknown] = [world.connect(), world.connect(), world.connect()];
    slow.socket.buffered = 1_048_577;
    quick.socket.buffered = 1_048_576;
    world.apply(message('more'));
    expect(slow.socket.closed?.code).toBe(4013);
    expect(quick.socket.closed).toBeUndefined();
    expect(unknown.socket.closed).toBeUndefined();
  });

  test('P-WS-14 chunks count as well, and a seen of 64 frames later frees them', () => {
    const world = new World();
    const turn = world.turn();
    const tab = world.connect(world.at(0));
    world.channel.receive(tab.session, { type: 'seen', seq: 0 });
    for (let i = 0; i < 640; i += 1) {
      world.stream(chunk(turn, 'x'.repeat(3_000)));
      if (i % 64 === 63) world.channel.receive(tab.session, { type: 'seen', seq: 2 });
    }
    expect(tab.socket.closed?.code).toBe(undefined);
  });

  test('P-WS-14 one stalled session of 50: the bytes kept for it are bounded, the others get everything', () => {
    const world = new World({ limits: { unseen_bytes: 50_000 } });
    const tabs = Array.from({ length: 50 }, () => world.connect());
    const [stalled, ...others] = tabs;
    if (!stalled) throw new Error('no tab');
    for (const tab of tabs) world.channel.receive(tab.session, { type: 'seen', seq: 0 });
    for (let i = 0; i < 100; i += 1) {
      world.apply(message('x'.repeat(1_000)));
      for (const tab of others) world.channel.receive(tab.session, { type: 'seen', seq: world.head });
    }
    expect(stalled.socket.closed?.code).toBe(4013);
    expect(stalled.session.unseenBytes).toBeLessThan(52_000);
    for (const { socket } of others) expect(socket.of('message')).toHaveLength(100);
  });
});

import { describe, expect, it } from 'vitest';
import { chunk, message, own, turn } from './frames.ts';
import { EPOCH, settle, tokenUntil, World, welcome } from './harness.ts';

const texts = (world: World): string[] =>
  (world.client.state.conversations.get('default')?.items ?? []).map((item) =>
    item.kind === 'message' ? item.text : '',
  );

describe('connecting', () => {
  it('P-WS-2 offers the protocol and the token as subprotocols, never in the address', async () => {
    const world = new World();
    const socket = await world.live();
    expect(socket.protocols).toEqual(['starwire.v1', 'bearer.token-1']);
    expect(socket.url.href).toBe('wss://chat.example/ws?batch=1');
    expect(world.client.status).toEqual({ is: 'live' });
  });

  it('P-WS-8 resumes by cursor and by the lengths of open turns', async () => {
    const world = new World();
    const socket = await world.live(4);
    socket.push(turn(5, 'running'), chunk(0, 'Think', { kind: 'reasoning' }), chunk(0, 'Hel'));
    const next = await world.drop();
    expect(next.url.searchParams.get('cursor')).toBe(`${EPOCH}.5`);
    expect(next.url.searchParams.get('turns')).toBe('t1:3:5');
    next.push(welcome(7, true), message(6, 'm6', 'six'), chunk(3, 'lo'), own(7, 'm7', 'seven'), {
      type: 'ready',
      seq: 7,
    });
    expect(world.client.status.is).toBe('live');
    expect(texts(world)).toEqual(['Hello', 'six', 'seven']);
    expect(world.losses).toEqual([]);
    expect(world.stale).toEqual(['start']);
  });

  it('P-WS-8 after a reset goes on from its place and asks for history', async () => {
    const world = new World();
    await world.live(9);
    const next = await world.drop();
    next.push(
      welcome(2, false, 'e2'),
      { type: 'reset', reason: 'unknown', epoch: 'e2', seq: 2 },
      { type: 'ready', seq: 2 },
    );
    expect(world.stale).toEqual(['start', 'reset']);
    next.push(message(3, 'm3', 'three'));
    expect((await world.drop()).url.searchParams.get('cursor')).toBe('e2.3');
  });

  it('P-WS-9 without a cursor takes what was never delivered, whatever its numbers', async () => {
    const world = new World();
    world.client.start();
    await settle();
    world.socket.push(
      welcome(9),
      message(7, 'm7', 'a'),
      message(9, 'm9', 'b'),
      { type: 'ready', seq: 9 },
      message(10, 'm10', 'c'),
    );
    expect(texts(world)).toEqual(['a', 'b', 'c']);
    expect(world.losses).toEqual([]);
  });

  it('waits longer after each failure, and again shortly once a connection has lasted', async () => {
    const world = new World();
    world.client.start();
    await settle();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      world.socket.close();
      const { status } = world.client;
      waits.push(status.is === 'waiting' ? status.until - world.clock.now() : -1);
      await world.clock.pass(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    world.socket.push(welcome(0), { type: 'ready', seq: 0 });
    await world.clock.pass(6000);
    world.socket.close();
    expect(world.client.status).toMatchObject({ is: 'waiting', until: world.clock.now() + 500 });
  });

  it('spreads returns over half of each pause', async () => {
    const world = new World();
    world.random = 0;
    await world.live();
    world.socket.close(1012);
    expect(world.client.status).toMatchObject({ is: 'waiting', until: world.clock.now() + 250 });
  });

  it('stays away longer when told to slow down (4008), even if the reader comes back', async () => {
    const world = new World();
    await world.live();
    world.socket.close(4008);
    expect(world.client.status).toMatchObject({ is: 'waiting', until: world.clock.now() + 30_000 });
    world.back();
    expect(world.client.status.is).toBe('waiting');
    world.client.retryNow();
    expect(world.client.status.is).toBe('connecting');
  });

  it('gives up a connection that opens and says nothing', async () => {
    const world = new World();
    world.client.start();
    await settle();
    await world.clock.pass(15_000);
    expect(world.sockets[0]?.closed).toBe(true);
    expect(world.client.status.is).toBe('waiting');
  });

  it('returns at once when the network or the reader does, and is offline while there is no network', async () => {
    const world = new World();
    await world.live();
    world.online = false;
    world.socket.close();
    expect(world.client.status.is).toBe('offline');
    world.online = true;
    world.back();
    await settle();
    expect(world.sockets).toHaveLength(2);
  });

  it('stop ends it; start goes on where it was', async () => {
    const world = new World();
    const socket = await world.live(3);
    world.client.stop();
    expect(socket.closed).toBe(true);
    await world.clock.pass(100_000);
    expect(world.sockets).toHaveLength(1);
    world.client.start();
    await settle();
    expect(world.socket.url.searchParams.get('cursor')).toBe(`${EPOCH}.3`);
  });
});

describe('signs of life', () => {
  it('pings at every heartbeat and gives a peer up that does not answer', async () => {
    const world = new World();
    const socket = await world.live();
    await world.clock.pass(25_000);
    expect(socket.pings).toBe(1);
    socket.text('pong');
    await world.clock.pass(25_000);
    expect(socket.pings).toBe(2);
    await world.clock.pass(9_999);
    expect(world.client.status.is).toBe('live');
    await world.clock.pass(1);
    expect(world.client.status.is).toBe('waiting');
    expect(socket.closed).toBe(true);
  });

  it('any frame counts as an answer', async () => {
    const world = new World();
    const socket = await world.live();
    await world.clock.pass(25_000);
    socket.push(message(1, 'm1', 'here'));
    await world.clock.pass(20_000);
    expect(world.client.status.is).toBe('live');
  });

  it('doubts a socket after a change of network, and asks at once', async () => {
    const world = new World();
    const socket = await world.live();
    world.gone();
    expect(socket.pings).toBe(1);
    await world.clock.pass(4_000);
    expect(world.client.status.is).toBe('waiting');
  });

  it('P-WS-14 says what it has seen every 64 frames, by weight, and when idle', async () => {
    const world = new World();
    const socket = await world.live();
    await world.clock.pass(1000);
    expect(socket.of('seen')).toEqual([{ type: 'seen', seq: 0 }]);
    for (let seq = 1; seq <= 64; seq += 1) socket.push(message(seq, `m${seq}`, 'x'));
    expect(socket.of('seen').at(-1)).toEqual({ type: 'seen', seq: 64 });
    socket.push(message(65, 'm65', 'x'.repeat(300_000)));
    expect(socket.of('seen').at(-1)).toEqual({ type: 'seen', seq: 65 });
    socket.push(message(66, 'm66', 'x'));
    expect(socket.of('seen')).toHaveLength(3);
    await world.clock.pass(1000);
    expect(socket.of('seen').at(-1)).toEqual({ type: 'seen', seq: 66 });
  });
});

describe('tokens', () => {
  it('P-WS-12 refreshes in place', async () => {
    const world = new World();
    let name = 0;
    world.token = () => tokenUntil(world.clock, 120, `n${++name}`);
    const socket = await world.live();
    await world.clock.pass(25_000);
    socket.text('pong');
    await world.clock.pass(25_000);
    socket.text('pong');
    await world.clock.pass(11_000);
    expect(world.asked).toEqual(['start', 'expiring']);
    expect(socket.of('refresh')).toEqual([{ type: 'refresh', token: tokenUntil(world.clock, 119, 'n2') }]);
    expect(world.sockets).toHaveLength(1);
  });

  it('P-WS-12 on 4010 asks for another token and resumes', async () => {
    const world = new World();
    const socket = await world.live(2);
    world.token = () => 'token-2';
    socket.push({ type: 'error', code: 'token_expired', message: 'expired', retryable: true });
    socket.close(4010);
    await settle();
    expect(world.asked).toEqual(['start', 'expired']);
    expect(world.socket.protocols[1]).toBe('bearer.token-2');
    expect(world.socket.url.searchParams.get('cursor')).toBe(`${EPOCH}.2`);
  });

  it('P-WS-3 on 4001 asks once for another token, then stops', async () => {
    const world = new World();
    world.client.start();
    await settle();
    world.token = () => 'token-2';
    world.socket.close(4001);
    await settle();
    expect(world.asked).toEqual(['start', 'refused']);
    world.socket.close(4001);
    await settle();
    expect(world.client.status).toEqual({ is: 'closed', reason: 'unauthorized' });
    await world.clock.pass(100_000);
    expect(world.sockets).toHaveLength(2);
  });

  it('stops where the same refused token is all there is', async () => {
    const world = new World();
    await world.live();
    world.socket.close(4003);
    await settle();
    expect(world.client.status).toEqual({ is: 'closed', reason: 'unauthorized' });
  });

  it('takes a token source that fails for a lost connection', async () => {
    const world = new World();
    world.token = () => Promise.reject(new Error('down'));
    world.client.start();
    await settle();
    expect(world.client.status.is).toBe('waiting');
    world.token = () => 'token-1';
    await world.clock.pass(500);
    expect(world.sockets).toHaveLength(1);
  });
});

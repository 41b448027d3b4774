import { describe, expect, it } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, edit, message, own, turn } from './frames.ts';
import { EPOCH, World, welcome } from './harness.ts';

const texts = (world: World): string[] =>
  (world.client.state.conversations.get('default')?.items ?? []).map((item) =>
    item.kind === 'message' ? item.text : '',
  );

const ack = (client_id: string, id: string, seq: number): ServerFrame => ({
  type: 'ack',
  client_id,
  id,
  seq,
  conversation: 'default',
  duplicate: false,
});

describe('nothing twice, nothing missing', () => {
  it('P-WS-8 a durable frame counts once', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(message(1, 'm1', 'one'), message(1, 'm1', 'one'), message(2, 'm2', 'two'));
    expect(world.seen.filter(({ type }) => type === 'message')).toHaveLength(2);
  });

  it('P-WS-8 snapshots are taken in without moving the cursor', async () => {
    const world = new World();
    const socket = await world.live(5);
    socket.push(turn(3, 'running', { snapshot: true }), message(6, 'm6', 'six'));
    expect(world.client.state.conversations.get('default')?.open.size).toBe(1);
    expect(world.losses).toEqual([]);
    expect((await world.drop()).url.searchParams.get('cursor')).toBe(`${EPOCH}.6`);
  });

  it('P-WS-8 a hole in the numbers is a loss: it reconnects from the last whole place', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(message(1, 'm1', 'one'), message(3, 'm3', 'three'));
    expect(world.losses).toEqual(['event 3 after 1']);
    expect(texts(world)).toEqual(['one']);
    await world.clock.pass(500);
    expect(world.socket.url.searchParams.get('cursor')).toBe(`${EPOCH}.1`);
  });

  it('P-WS-8 a replay that ends too early is a loss', async () => {
    const world = new World();
    await world.live(1);
    const next = await world.drop();
    next.push(welcome(3, true), message(2, 'm2', 'two'), { type: 'ready', seq: 3 });
    expect(world.losses).toEqual(['replay ended at 2 of 3']);
  });

  it('P-WS-8 resumed from before anything was stored, it goes on in the epoch that the journal has had since', async () => {
    const world = new World();
    await world.live(0);
    const next = await world.drop();
    expect(next.url.searchParams.get('cursor')).toBe(`${EPOCH}.0`);
    const later = { ...welcome(1, true), epoch: 'later' };
    next.push(later, message(1, 'm1', 'one'), { type: 'ready', seq: 1 });
    expect((await world.drop()).url.searchParams.get('cursor')).toBe('later.1');
  });

  it('starts afresh where resuming loses again and again', async () => {
    const world = new World();
    await world.live(1);
    for (let round = 0; round < 3; round += 1) {
      const next = await world.drop();
      next.push(welcome(3, true), { type: 'ready', seq: 3 });
      await world.clock.pass(30_000);
    }
    expect(world.socket.url.searchParams.has('cursor')).toBe(false);
  });

  it('P-WS-6 trims chunks that overlap, drops known ones, and notices a gap', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(turn(1, 'running'), chunk(0, 'Hello'), chunk(3, 'lo, w'), chunk(2, 'llo'));
    expect(texts(world)).toEqual(['Hello, w']);
    socket.push(chunk(20, 'later'));
    expect(world.losses).toEqual(['text at 20 after 8']);
    await world.clock.pass(500);
    expect(world.socket.url.searchParams.get('turns')).toBe('t1:8:0');
  });

  it('P-WS-8 a client that shows more than there is repairs itself at offset 0', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(turn(1, 'running'), chunk(0, 'Hello lost'));
    const next = await world.drop();
    next.push(
      welcome(1, true),
      turn(1, 'running', { snapshot: true }),
      chunk(0, 'Hello'),
      { type: 'ready', seq: 1 },
      chunk(5, '!'),
    );
    expect(texts(world)).toEqual(['Hello!']);
    expect(world.losses).toEqual([]);
  });

  it('P-WS-6 knows how long a reply is that came whole or was edited while its turn runs', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(
      turn(1, 'running'),
      message(2, 'r1', 'Whole', { turn: 't1' }),
      message(3, 'x', 'aside', { turn: 't1' }),
    );
    socket.push(chunk(5, ' and more'), edit(4, 'r1', 'Anew'), chunk(4, '!'));
    expect(texts(world)).toEqual(['Anew!', 'aside']);
    expect(world.losses).toEqual([]);
    expect((await world.drop()).url.searchParams.get('turns')).toBe('t1:5:0');
  });

  it('P-WS-11 ignores late chunks of a finished turn', async () => {
    const world = new World();
    const socket = await world.live();
    socket.push(
      turn(1, 'running'),
      chunk(0, 'Hel'),
      message(2, 'r1', 'Hel', { turn: 't1', partial: true }),
      turn(3, 'cancelled'),
      chunk(3, 'lo'),
    );
    expect(texts(world)).toEqual(['Hel']);
  });

  it('takes batches apart, and shows them in one step', async () => {
    const world = new World();
    const socket = await world.live();
    let shown = 0;
    world.client.on('state', () => {
      shown += 1;
    });
    socket.push({ type: 'batch', frames: [message(1, 'm1', 'one'), message(2, 'm2', 'two')] });
    expect(texts(world)).toEqual(['one', 'two']);
    expect(shown).toBe(1);
  });

  it('passes over frames of a newer server, numbered ones too', async () => {
    const world = new World();
    const socket = await world.live();
    socket.text(JSON.stringify({ type: 'poll', seq: 1, options: [] }));
    socket.text('not json');
    socket.text('[1]');
    socket.push(message(2, 'm2', 'two'));
    expect(texts(world)).toEqual(['two']);
    expect(world.losses).toEqual([]);
  });
});

describe('the outbox', () => {
  it('P-WS-5 resends what was not acknowledged under the same client_id, in order', async () => {
    const world = new World();
    const socket = await world.live();
    world.client.message({ text: 'one' });
    world.client.message({ text: 'two' });
    socket.push(ack('c1', 'm1', 1), own(1, 'm1', 'one', { client_id: 'c1' }));
    const next = await world.drop();
    expect(next.of('message')).toEqual([]);
    next.push(welcome(1, true), { type: 'ready', seq: 1 });
    expect(next.of('message')).toEqual([
      { type: 'message', client_id: 'c2', text: 'two', conversation: 'default' },
    ]);
    expect(texts(world)).toEqual(['one', 'two']);
  });

  it('P-WS-5 does not resend what the replay shows to have arrived', async () => {
    const world = new World();
    await world.live();
    world.client.message({ text: 'one' });
    const next = await world.drop();
    next.push(welcome(1, true), own(1, 'm1', 'one', { client_id: 'c1' }), { type: 'ready', seq: 1 });
    expect(next.of('message')).toEqual([]);
    expect(texts(world)).toEqual(['one']);
  });

  it('keeps presses, answers and cancels for the next connection too', async () => {
    const world = new World();
    await world.live();
    world.socket.close();
    world.client.press('m1', 'yes');
    world.client.answer('p1', 42);
    world.client.cancel('t1');
    await world.clock.pass(500);
    world.socket.push(welcome(0, true), { type: 'ready', seq: 0 });
    expect(world.socket.frames).toEqual([
      { type: 'action', client_id: 'c1', message: 'm1', custom_id: 'yes' },
      { type: 'answer', client_id: 'c2', prompt: 'p1', value: 42 },
      { type: 'cancel', turn: 't1' },
    ]);
  });

  it('survives a reload of the tab', async () => {
    let kept: string | null = null;
    const outbox = {
      load: () => kept,
      save: (text: string) => {
        kept = text;
      },
    };
    const before = new World({ outbox });
    before.client.message({ text: 'written on the train' });
    const after = new World({ outbox });
    expect(texts(after)).toEqual(['written on the train']);
    const socket = await after.live();
    expect(socket.of('message')).toMatchObject([{ client_id: 'c1', text: 'written on the train' }]);
    socket.push(ack('c1', 'm1', 1));
    expect(kept).toBe('[]');
  });

  it('reads nothing into storage that holds something else', () => {
    for (const text of ['{', '{"a":1}', '[{"send":{"type":"message"}}, 7]']) {
      expect(texts(new World({ outbox: { load: () => text, save: () => undefined } }))).toEqual([]);
    }
  });

  it('tries a retryable refusal again after the time it names', async () => {
    const world = new World();
    const socket = await world.live();
    world.client.message({ text: 'one' });
    socket.push({
      type: 'error',
      code: 'rate_limited',
      message: 'slow down',
      retryable: true,
      retry_after: 3,
      client_id: 'c1',
    });
    await world.clock.pass(2_900);
    expect(socket.of('message')).toHaveLength(1);
    await world.clock.pass(200);
    expect(socket.of('message')).toHaveLength(2);
    expect(texts(world)).toEqual(['one']);
  });

  it('marks what is refused for good, and sends it again only when asked', async () => {
    const world = new World();
    const socket = await world.live();
    world.client.message({ text: 'one' });
    socket.push({ type: 'error', code: 'too_large', message: 'too long', retryable: false, client_id: 'c1' });
    expect(world.client.state.conversations.get('default')?.items[0]).toMatchObject({
      status: 'failed',
      error: { code: 'too_large' },
    });
    const next = await world.drop();
    next.push(welcome(0, true), { type: 'ready', seq: 0 });
    expect(next.of('message')).toEqual([]);
    world.client.retry('c1');
    expect(next.of('message')).toHaveLength(1);
  });

  it('P-WS-13 keeps a frame to itself that would cost the connection', async () => {
    const world = new World();
    const socket = await world.live();
    world.client.message({ text: 'x'.repeat(300_000) });
    expect(socket.of('message')).toEqual([]);
    expect(world.client.state.conversations.get('default')?.items[0]).toMatchObject({
      status: 'failed',
      error: { code: 'too_large' },
    });
  });

  it('says few words about typing', async () => {
    const world = new World();
    const socket = await world.live();
    for (let key = 0; key < 10; key += 1) {
      world.client.typing(true);
      await world.clock.pass(200);
    }
    expect(socket.of('typing')).toEqual([{ type: 'typing', active: true, conversation: 'default' }]);
    await world.clock.pass(6_000);
    expect(socket.of('typing').at(-1)).toEqual({ type: 'typing', active: false, conversation: 'default' });
  });
});

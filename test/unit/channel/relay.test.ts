import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/protocol/text.ts';
import { chunk, done, event, NOTHING, type Tab, World } from './harness.ts';

const CREDIT = 1_000;
const message = (text: string) => event({ kind: 'message', text });

/** The Worker's side of an SSE relay: reads frames and tells so in quarters of its window. */
class Reader {
  readonly #world: World;
  readonly tab: Tab;
  #taken = 0;
  #untold = 0;

  constructor(world: World, tab: Tab) {
    this.#world = world;
    this.tab = tab;
  }

  /** Reads one frame; false where there is none. */
  readOne(): boolean {
    const text = this.tab.socket.texts[this.#taken];
    if (text === undefined) return false;
    this.#taken += 1;
    this.#untold += utf8Bytes(text);
    if (this.#untold < CREDIT / 4) return true;
    const told = this.#untold;
    this.#untold = 0;
    this.#world.channel.credit(this.tab.session, told);
    return true;
  }

  readAll(): void {
    while (this.readOne());
  }

  get unread(): number {
    return this.tab.socket.texts.slice(this.#taken).reduce((sum, text) => sum + utf8Bytes(text), 0);
  }
}

const relay = (world: World, position = world.at(0)) =>
  new Reader(world, world.connect(position, { credit: CREDIT, dialect: 'sse' }));

/** Frames of a relay folded as a client does: durable seqs, and the text of each turn. */
function fold({ tab }: Reader) {
  const seqs: number[] = [];
  const texts = new Map<string, string>();
  for (const frame of tab.socket.frames) {
    if (frame.type === 'chunk') {
      const shown = texts.get(frame.turn) ?? '';
      expect([0, shown.length]).toContain(frame.offset);
      texts.set(frame.turn, shown.slice(0, frame.offset) + frame.text);
    } else if (
      'seq' in frame &&
      !('snapshot' in frame) &&
      !['welcome', 'ready', 'reset'].includes(frame.type)
    )
      seqs.push(frame.seq);
    if (frame.type === 'message' && frame.turn) texts.set(frame.turn, frame.text);
  }
  return { seqs, texts };
}

describe('DESIGN 2 credit of SSE relays', () => {
  test('a relay that does not read gets no more than its credit; then it catches up exactly', () => {
    const world = new World();
    const turn = world.turn();
    const reader = relay(world);
    const native = world.connect(world.at(1));
    for (let i = 0; i < 100; i += 1) {
      world.stream(chunk(turn, `${i} `));
      if (i % 3 === 0) world.apply(message(`m${i}`));
      if (i % 10 === 0) reader.readOne();
      expect(reader.unread).toBeLessThan(2 * CREDIT);
    }
    world.apply(message('end'));
    reader.readAll();
    expect(fold(reader).seqs).toEqual(world.journal.map(({ seq }) => seq));
    expect(fold(reader).texts.get(turn)).toBe(Array.from({ length: 100 }, (_, i) => `${i} `).join(''));
    expect(native.socket.of('message')).toHaveLength(35);
    world.apply(chunk(turn, 'live'));
    expect(reader.tab.socket.of('chunk').at(-1)?.text).toBe('live');
  });

  test('turns that ended while it was behind come with their final message', () => {
    const world = new World();
    const turn = world.turn();
    const reader = relay(world);
    world.apply(chunk(turn, 'x'.repeat(900)));
    world.apply(chunk(turn, 'y'.repeat(900)));
    world.apply(done(turn));
    reader.readAll();
    expect(fold(reader).seqs).toEqual([1, 2, 3, 4]);
    expect(reader.tab.socket.of('message')).toMatchObject([{ text: 'x'.repeat(900) + 'y'.repeat(900) }]);
  });

  test('a frame larger than the credit passes, though what was read before is not told yet', () => {
    const world = new World();
    const reader = relay(world);
    for (let i = 0; i < 5; i += 1) {
      world.apply(message('small'));
      reader.readAll();
      world.apply(message('x'.repeat(5 * CREDIT)));
      reader.readAll();
    }
    expect(fold(reader).seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('its place survives hibernation', () => {
    const world = new World();
    const turn = world.turn();
    const reader = relay(world);
    for (let i = 0; i < 20; i += 1) world.results(chunk(turn, 'x'.repeat(100)), message('m'));
    expect(reader.tab.session.behind).toBeDefined();
    world.evict();
    reader.readAll();
    expect(fold(reader).seqs).toEqual(world.journal.map(({ seq }) => seq));
    expect(fold(reader).texts.get(turn)).toBe('x'.repeat(2_000));
  });

  test('its place stays small however many turns pass', () => {
    const world = new World();
    const reader = relay(world);
    for (let i = 0; i < 300; i += 1) {
      const turn = world.turn();
      world.apply(chunk(turn, 'x'.repeat(200)));
      if (i % 2 === 0) reader.readOne();
      world.apply(done(turn));
    }
    expect(reader.tab.session.behind?.at.turns.size ?? 0).toBeLessThanOrEqual(8);
    reader.readAll();
    expect(fold(reader).seqs).toEqual(world.journal.map(({ seq }) => seq));
  });

  test('P-WS-8 its first replay too comes within the credit, ready last', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'x'.repeat(40_000)));
    for (let i = 0; i < 30; i += 1) world.apply(message(`m${i}`.padEnd(100)));
    const reader = relay(world);
    expect(reader.unread).toBeLessThan(2 * CREDIT);
    world.apply(message('while it reads'));
    reader.readAll();
    expect(reader.tab.socket.types.at(-1)).toBe('ready');
    expect(fold(reader).seqs).toEqual(world.journal.map(({ seq }) => seq));
    expect(fold(reader).texts.get(turn)).toBe('x'.repeat(40_000));
  });

  test('a reply that was replaced while it was behind is repaired', () => {
    const world = new World();
    const turn = world.turn();
    const { id } = world.apply(event({ kind: 'message', turn, text: 'a long first version of it' }));
    const reader = relay(world);
    world.apply(chunk(turn, ' and more'));
    while (!reader.tab.session.behind) world.apply(message('x'.repeat(300)));
    world.apply(event({ kind: 'edit', id, text: 'short' }));
    world.apply(chunk(turn, ' and then much more than there ever was before'));
    reader.readAll();
    const edited = reader.tab.socket.frames.findIndex((frame) => frame.type === 'edit');
    const after = reader.tab.socket.frames.slice(edited).filter((frame) => frame.type === 'chunk');
    expect(after).toMatchObject([{ offset: 0, text: 'short and then much more than there ever was before' }]);
  });

  test('P-WS-9 a relay without a cursor gets what was sent to nobody', () => {
    const world = new World();
    for (let i = 0; i < 20; i += 1) world.apply(message('x'.repeat(200)));
    const reader = relay(world, NOTHING);
    reader.readAll();
    expect(fold(reader).seqs).toHaveLength(20);
  });
});

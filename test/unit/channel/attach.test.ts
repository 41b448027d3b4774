import { describe, expect, test } from 'vitest';
import type { TurnFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, done, event, NOTHING, think, World } from './harness.ts';

const message = (text: string) => event({ kind: 'message', text });

describe('the journal', () => {
  test('P-WS-8 seq counts 1, 2, 3 … without gaps over messages, turns, prompts and refusals', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello');
    world.say(tab, '');
    world.apply(message('hi'));
    world.apply(event({ kind: 'edit', id: 'nobody', text: 'x' }));
    world.apply(event({ kind: 'prompt', question: 'why?' }));
    const turn = world.turn();
    world.apply(chunk(turn, 'text'));
    world.apply(done(turn));
    const seqs = world.journal.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect(
      tab.socket.frames.flatMap((f) => ('seq' in f && f.type !== 'ack' ? [f.seq] : [])).slice(2),
    ).toEqual(seqs);
  });

  test('the epoch is told before anything is stored and stays for the life of the journal', () => {
    const world = new World();
    const tab = world.connect();
    const [welcome] = tab.socket.of('welcome');
    world.evict();
    world.apply(message('first'));
    expect(world.channel.epoch).toBe(welcome?.epoch);
    world.crash();
    expect(world.connect().socket.of('welcome')[0]).toMatchObject({ epoch: welcome?.epoch, seq: 1 });
  });

  test('reading opens no storage: attaching and refusals write nothing', () => {
    const world = new World();
    const tab = world.connect();
    world.channel.receive(tab.session, { type: 'cancel', turn: 'nothing' });
    expect(tab.socket.of('error')[0]?.code).toBe('not_found');
    expect(world.sql.all("SELECT name FROM sqlite_master WHERE type = 'table'")).toEqual([]);
  });

  test('a write that breaks leaves neither a number nor an event behind', () => {
    const world = new World();
    world.apply(message('kept'));
    world.sql.breakOn = 'INSERT INTO turns';
    expect(() => world.turn('t1')).toThrow('disk');
    world.crash();
    expect(world.head).toBe(1);
    world.turn('t1');
    expect(world.journal.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe('attach', () => {
  test('P-WS-8 with a cursor: welcome, exactly what came after it, ready', () => {
    const world = new World();
    for (const text of ['one', 'two', 'three', 'four']) world.apply(message(text));
    const { socket } = world.connect(world.at(2));
    expect(socket.types).toEqual(['welcome', 'message', 'message', 'ready']);
    expect(socket.of('welcome')[0]).toMatchObject({
      resumed: true,
      seq: 4,
      protocol: 1,
      user: { id: 'ann' },
    });
    expect(socket.of('message').map(({ seq, text }) => [seq, text])).toEqual([
      [3, 'three'],
      [4, 'four'],
    ]);
    expect(socket.of('ready')).toEqual([{ type: 'ready', seq: 4 }]);
  });

  test('P-WS-8 tabs that come back together from one place get the same, also what was stored between them', () => {
    const world = new World();
    for (const text of ['one', 'two', 'three']) world.apply(message(text));
    const texts = (from: number) =>
      world
        .connect(world.at(from))
        .socket.of('message')
        .map(({ text }) => text);
    expect([texts(1), texts(1), texts(2)]).toEqual([['two', 'three'], ['two', 'three'], ['three']]);
    expect(texts(1)).toEqual(['two', 'three']);
    world.apply(message('four'));
    expect(texts(1)).toEqual(['two', 'three', 'four']);
    world.channel.conversations.delete('default');
    expect(texts(1)).toEqual([]);
  });

  test('P-WS-8 a replay of many pages misses nothing and repeats nothing', () => {
    const world = new World();
    world.results(...Array.from({ length: 1_203 }, (_, i) => message(`m${i}`)));
    const seqs = world
      .connect(world.at(1))
      .socket.of('message')
      .map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 1_202 }, (_, i) => i + 2));
  });

  test.each([
    ['unknown', (world: World) => ({ ...world.at(1), cursor: { epoch: 'elsewhere', seq: 1 } })],
    ['unknown', (world: World) => ({ ...world.at(1), cursor: { epoch: 'epoch99', seq: 2 } })],
    ['ahead', (world: World) => world.at(9)],
  ])('P-WS-8 a cursor that is %s: one reset, the open state, ready', (reason, position) => {
    const world = new World();
    world.apply(message('one'));
    const turn = world.turn();
    world.apply(chunk(turn, 'half'));
    const { socket } = world.connect(position(world));
    expect(socket.types).toEqual(['welcome', 'reset', 'turn', 'chunk', 'ready']);
    expect(socket.of('reset')).toEqual([
      { type: 'reset', reason, epoch: world.channel.epoch, seq: world.head },
    ]);
    expect(socket.of('welcome')[0]?.resumed).toBe(false);
  });

  test('P-WS-8 a client that was told an epoch before anything was stored has missed nothing', () => {
    const world = new World();
    const told = world.connect().socket.of('welcome')[0]?.epoch ?? '';
    world.crash();
    world.apply(message('one'));
    expect(world.channel.epoch).not.toBe(told);
    const { socket } = world.connect({ cursor: { epoch: told, seq: 0 }, turns: new Map() });
    expect(socket.types).toEqual(['welcome', 'message', 'ready']);
    expect(socket.of('welcome')[0]?.resumed).toBe(true);
  });

  test('P-WS-9 what was sent to nobody arrives once, at the next connection without a cursor', () => {
    const world = new World();
    expect(world.apply(message('offline'))).toMatchObject({ delivered: false, seq: 1 });
    world.apply(message('offline too'));
    const first = world.connect();
    expect(first.socket.of('message').map(({ text }) => text)).toEqual(['offline', 'offline too']);
    expect(world.apply(message('live')).delivered).toBe(true);
    expect(world.connect().socket.types).toEqual(['welcome', 'ready']);
    world.drop(first);
    for (const tab of world.tabs) world.drop(tab);
    world.apply(message('offline again'));
    world.crash();
    expect(
      world
        .connect()
        .socket.of('message')
        .map(({ text }) => text),
    ).toEqual(['offline again']);
    expect(world.connect().socket.of('message')).toEqual([]);
  });

  test('P-WS-9 what went only to dead sockets was written to nobody', () => {
    const world = new World();
    const tab = world.connect();
    world.apply(message('seen'));
    tab.socket.dead = true;
    expect(world.apply(message('lost')).delivered).toBe(false);
    world.drop(tab);
    expect(
      world
        .connect()
        .socket.of('message')
        .map(({ text }) => text),
    ).toEqual(['lost']);
    expect(world.connect().socket.of('message')).toEqual([]);
  });

  test('P-WS-9 a session whose token has expired is nobody', () => {
    const world = new World();
    world.connect(NOTHING, { exp: world.now / 1000 + 1 });
    world.pass(2_000);
    expect(world.apply(message('later')).delivered).toBe(false);
    expect(
      world
        .connect()
        .socket.of('message')
        .map(({ text }) => text),
    ).toEqual(['later']);
  });
});

describe('the open state', () => {
  const opened = (world: World): string => {
    const turn = world.turn();
    world.results(think(turn, 'hmm'), chunk(turn, 'Hello'));
    return turn;
  };

  test('P-WS-8 comes as snapshots with their original seq, and with the text beyond what was shown', () => {
    const world = new World();
    const turn = opened(world);
    world.apply(event({ kind: 'prompt', question: 'which?', choices: ['a', 'b'], turn }));
    const { socket } = world.connect(world.at(world.head, { [turn]: [2, 3] }));
    expect(socket.types).toEqual(['welcome', 'turn', 'chunk', 'prompt', 'ready']);
    expect(socket.of('turn')).toMatchObject([{ turn, status: 'running', seq: 2, snapshot: true }]);
    expect(socket.of('chunk')).toMatchObject([{ turn, kind: 'text', offset: 2, text: 'llo' }]);
    expect(socket.of('prompt')).toMatchObject([{ question: 'which?', seq: 3, snapshot: true }]);
  });

  test('P-WS-8 without lengths the text comes whole, reasoning first', () => {
    const world = new World();
    const turn = opened(world);
    const { socket } = world.connect(world.at(world.head));
    expect(socket.of('chunk')).toMatchObject([
      { turn, kind: 'reasoning', offset: 0, text: 'hmm' },
      { turn, kind: 'text', offset: 0, text: 'Hello' },
    ]);
  });

  test('P-WS-8 a client that shows more than there is gets it from 0', () => {
    const world = new World();
    const turn = opened(world);
    const { socket } = world.connect(world.at(world.head, { [turn]: [6, 3] }));
    expect(socket.of('chunk')).toMatchObject([{ kind: 'text', offset: 0, text: 'Hello' }]);
  });

  test('P-WS-8 a client that shows text where none survived is told so by an empty chunk at 0', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(event({ kind: 'tool', turn, tool: 't', name: 'look', status: 'running' }));
    world.stream(chunk(turn, 'lost in the crash'));
    world.crash();
    const { socket } = world.connect(world.at(world.head, { [turn]: [17, 0] }));
    expect(socket.of('chunk')).toMatchObject([{ kind: 'text', offset: 0, text: '' }]);
  });

  test('P-WS-8 a long text is replayed in pieces that never cut a character', () => {
    const world = new World();
    const turn = world.turn();
    const text = `x${'😀'.repeat(20_000)}`;
    world.apply(chunk(turn, text));
    const pieces = world.connect(world.at(world.head)).socket.of('chunk');
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.every((piece) => piece.text.isWellFormed())).toBe(true);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    expect(pieces.map(({ offset }) => offset)).toEqual(
      pieces.map((_, i) => pieces.slice(0, i).reduce((sum, piece) => sum + piece.text.length, 0)),
    );
  });

  test('P-WS-8 finished turns and closed prompts are no part of it', () => {
    const world = new World();
    const turn = opened(world);
    world.apply(event({ kind: 'prompt', question: 'which?', turn, id: 'p' }));
    world.apply(event({ kind: 'error', turn }));
    expect(world.connect(world.at(world.head)).socket.types).toEqual(['welcome', 'ready']);
  });

  test('P-WS-8 survives hibernation and crash, in the order in which the turns were opened', () => {
    const world = new World();
    const turns = [world.turn('z')];
    world.pass(1);
    turns.push(world.turn('a'));
    world.results(...turns.map((turn) => chunk(turn, `of ${turn}`)));
    const open = () =>
      world
        .connect(world.at(world.head))
        .socket.frames.filter((frame): frame is TurnFrame => frame.type === 'turn')
        .map(({ turn }) => turn);
    expect(open()).toEqual(turns);
    world.evict();
    expect(open()).toEqual(turns);
    world.crash();
    expect(open()).toEqual(turns);
  });

  test.each([
    ['shorter', 'now short'],
    ['longer', 'now it is much longer than it was before'],
  ])('P-WS-8 lengths from before the reply was replaced by a %s one are repaired', (_, text) => {
    const world = new World();
    const turn = world.turn();
    world.apply(event({ kind: 'message', turn, text: 'as it was at first' }));
    const { message } = world.connect().socket.of('turn')[0] ?? {};
    const before = world.at(world.head, { [turn]: [18, 0] });
    world.apply(event({ kind: 'edit', id: message, text }));
    world.apply(chunk(turn, ' and then it went on for a while'));
    const { socket } = world.connect(before);
    let shown = 'as it was at first';
    for (const frame of socket.frames) {
      if (frame.type === 'edit') shown = frame.text;
      if (frame.type === 'chunk') {
        expect(frame.offset === 0 || frame.offset === shown.length).toBe(true);
        shown = shown.slice(0, frame.offset) + frame.text;
      }
    }
    expect(shown).toBe(`${text} and then it went on for a while`);
  });
});

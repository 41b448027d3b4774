import { describe, expect, test } from 'vitest';
import { chunk, done, event, think, World } from './harness.ts';

const PAIR = '😀';
const [HIGH, LOW] = [PAIR.slice(0, 1), PAIR.slice(1)];

/** A world with one open turn and a tab that watches it. */
function streaming() {
  const world = new World();
  const turn = world.turn();
  const tab = world.connect(world.at(1));
  tab.socket.clear();
  const shown = (kind = 'text') =>
    tab.socket
      .of('chunk')
      .filter((frame) => frame.kind === kind)
      .reduce((text, frame) => {
        expect(frame.offset).toBe(text.length);
        return text + frame.text;
      }, '');
  return { world, turn, tab, shown };
}

describe('P-UP-7 chunk offsets', () => {
  test('P-UP-7 text below the stored length is a duplicate, beginning above it a conflict with expected', () => {
    const { world, turn, tab } = streaming();
    expect(world.apply(chunk(turn, 'Hello', 0))).toMatchObject({ delivered: true });
    tab.socket.clear();
    expect(world.apply(chunk(turn, 'Hello', 0))).toMatchObject({ duplicate: true, delivered: false });
    expect(world.apply(chunk(turn, 'ell', 1))).toMatchObject({ duplicate: true });
    expect(tab.socket.frames).toEqual([]);
    expect(world.apply(chunk(turn, '!', 6)).error).toMatchObject({
      code: 'conflict',
      expected: 5,
      field: 'offset',
    });
    tab.socket.clear();
    world.apply(chunk(turn, 'lo you', 3));
    expect(tab.socket.of('chunk')).toMatchObject([{ offset: 5, text: ' you' }]);
    expect(world.channel.turn(turn)).toMatchObject({ text_length: 9 });
  });

  test('P-UP-7 offsets count each kind for itself', () => {
    const { world, turn, shown } = streaming();
    world.results(think(turn, 'hmm', 0), chunk(turn, 'Hi', 0), think(turn, ' so', 3), chunk(turn, '!', 2));
    expect([shown('reasoning'), shown()]).toEqual(['hmm so', 'Hi!']);
    expect(world.apply(think(turn, 'x', 9)).error).toMatchObject({ code: 'conflict', expected: 6 });
  });

  test('P-UP-7 reasoning beside a text that came before came with it', () => {
    const { world, turn, shown } = streaming();
    const both = event({ kind: 'chunk', turn, text: 'Hi', reasoning: 'hmm', offset: 0 });
    world.apply(both);
    expect(world.apply(both)).toMatchObject({ duplicate: true });
    expect([shown('reasoning'), shown()]).toEqual(['hmm', 'Hi']);
  });

  test('P-UP-7 a conflict changes nothing: not even the status', () => {
    const { world, turn } = streaming();
    expect(world.apply(chunk(turn, 'x', 5)).error?.code).toBe('conflict');
    expect(world.channel.turn(turn)?.status).toBe('queued');
    expect(world.head).toBe(1);
  });

  test('P-UP-4 a chunk for a turn that does not exist is not_found, for a finished one turn_finished', () => {
    const { world, turn } = streaming();
    expect(world.apply(chunk('nothing', 'x')).error?.code).toBe('not_found');
    world.apply(done(turn));
    expect(world.apply(chunk(turn, 'x')).error?.code).toBe('turn_finished');
  });
});

describe('P-WS-6 text is never cut in a character', () => {
  test('P-WS-6 a trailing high half waits for the next chunk', () => {
    const { world, turn, tab, shown } = streaming();
    world.apply(chunk(turn, `a${HIGH}`));
    expect(shown()).toBe('a');
    world.apply(chunk(turn, `${LOW}b`));
    expect(shown()).toBe(`a${PAIR}b`);
    expect(tab.socket.of('chunk').every(({ text }) => text.isWellFormed())).toBe(true);
  });

  test('P-UP-6 a half that was acknowledged survives hibernation and crash', () => {
    const { world, turn } = streaming();
    world.apply(chunk(turn, 'a'));
    world.apply(chunk(turn, HIGH));
    expect(world.channel.turn(turn)?.text_length).toBe(2);
    world.evict();
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(2);
    world.apply(chunk(turn, LOW, 2));
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ type: 'message', text: `a${PAIR}` });
  });

  test('P-WS-6 it becomes U+FFFD where something else comes, and at the end', () => {
    const { world, turn, shown } = streaming();
    world.apply(chunk(turn, HIGH));
    world.apply(chunk(turn, 'x'));
    world.apply(chunk(turn, HIGH));
    world.apply(done(turn));
    expect(shown()).toBe('\u{fffd}x\u{fffd}');
    expect(world.journal.at(-2)).toMatchObject({ type: 'message', text: '\u{fffd}x\u{fffd}' });
  });

  test('P-WS-6 NUL, lone halves and every script are kept with their lengths', () => {
    const { world, turn, shown } = streaming();
    const text = `a\0b${LOW}c\u{202e}漢字👩‍👩‍👧 \u{10ffff}\r\n\u{2028}`;
    world.apply(chunk(turn, text));
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(text.length);
    expect(shown()).toBe(text.toWellFormed());
    world.apply(chunk(turn, 'end', text.length));
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: `${text.toWellFormed()}end` });
  });

  test('P-WS-6 chunks of one request are merged where they touch, never reordered', () => {
    const { world, turn, tab } = streaming();
    world.results(chunk(turn, 'a'), chunk(turn, 'b'), think(turn, 'r'), chunk(turn, 'c'), chunk(turn, 'd'));
    expect(tab.socket.of('chunk').map(({ kind, offset, text }) => [kind, offset, text])).toEqual([
      ['text', 0, 'ab'],
      ['reasoning', 0, 'r'],
      ['text', 2, 'cd'],
    ]);
  });

  test('P-WS-6 text of any length comes back whole from storage, part by part', () => {
    const { world, turn } = streaming();
    const text = `x${PAIR.repeat(50_000)}${'y'.repeat(70_000)}\0${PAIR.repeat(33_333)}`;
    for (let at = 0; at < text.length; at += 7_001) world.stream(chunk(turn, text.slice(at, at + 7_001)));
    world.channel.flush();
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(text.length);
    const replayed = world.connect(world.at(world.head)).socket.of('chunk');
    expect(replayed.map((piece) => piece.text).join('')).toBe(text);
    for (const { n } of world.sql.all<{ n: number }>('SELECT length(CAST(text AS BLOB)) AS n FROM texts'))
      expect(n).toBeLessThan(200_000);
  });
});

describe('the flush of streamed text', () => {
  test('is shown before it is stored, stored when its source asks for it, and lost by a crash before that', () => {
    const { world, turn, shown } = streaming();
    world.apply(chunk(turn, 'stored'));
    world.stream(chunk(turn, ' shown'));
    expect(shown()).toBe('stored shown');
    expect(world.channel.stored).toBe(false);
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(6);
    world.stream(chunk(turn, ' again'));
    world.ingest({ events: [], end: false, store: true });
    expect(world.channel.stored).toBe(true);
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(12);
  });

  test('never comes from a channel whose write has failed: its memory is not the truth any more', () => {
    const { world, turn } = streaming();
    world.apply(chunk(turn, 'a'));
    world.stream(chunk(turn, 'b'));
    world.sql.breakOn = 'INSERT INTO events';
    expect(() => world.apply(event({ kind: 'message', text: 'x' }))).toThrow('disk');
    world.rebuild();
    world.apply(chunk(turn, 'bcd', 1));
    world.apply(done(turn));
    world.crash();
    expect(world.channel.turn(turn)).toMatchObject({ status: 'completed', text_length: 4 });
    expect(world.sql.all('SELECT * FROM texts')).toEqual([]);
  });

  test('is forced by 32 KiB, by any durable event, and by the end of a request', () => {
    const { world, turn } = streaming();
    world.apply(chunk(turn, 'a'));
    for (let i = 0; i < 4; i += 1) world.stream(chunk(turn, 'x'.repeat(8_192)));
    expect(world.channel.stored).toBe(true);
    world.stream(chunk(turn, 'b'));
    world.stream(event({ kind: 'message', text: 'beside it' }));
    expect(world.channel.stored).toBe(true);
    world.stream(chunk(turn, 'c'));
    world.ingest({ events: [] });
    expect(world.channel.stored).toBe(true);
  });

  test.each([
    ['that we named', { key: '~lines' }],
    ['of a producer', { producer: { id: 'p', epoch: 1, seq: 0 } }],
  ])('a reply of 500 tokens in one request %s costs tens of rows, not hundreds', (_, name) => {
    const { world, turn } = streaming();
    world.apply(chunk(turn, 'x'));
    world.sql.writes = 0;
    for (let i = 0; i < 500; i += 1) {
      const store = i % 100 === 99;
      world.ingest({ ...name, events: [{ n: i, event: chunk(turn, 'token ') }], end: false, store });
    }
    world.ingest({ ...name, events: [{ n: 500, event: done(turn) }] });
    expect(world.sql.writes).toBeLessThan(25);
    expect(world.journal.at(-2)).toMatchObject({ text: `x${'token '.repeat(500)}` });
  });
});

describe('the limit of a reply', () => {
  test('P-WS-13 beyond it the turn is failed and its text kept', () => {
    const world = new World({ limits: { reply_text: 100 } });
    const turn = world.turn();
    world.apply(chunk(turn, 'a'.repeat(99)));
    world.apply(chunk(turn, 'bcd'));
    expect(world.journal.slice(-2)).toMatchObject([
      { type: 'message', text: `${'a'.repeat(99)}b`, partial: true },
      { type: 'turn', status: 'failed', error: { type: 'too_large' } },
    ]);
    expect(world.apply(chunk(turn, 'e')).error?.code).toBe('turn_finished');
  });

  test('a cut never leaves half a character', () => {
    const world = new World({ limits: { reply_text: 100 } });
    const turn = world.turn();
    world.apply(chunk(turn, `${'a'.repeat(99)}${PAIR}`));
    expect(world.journal.at(-2)).toMatchObject({ text: 'a'.repeat(99) });
  });

  test.each([
    ['one chunk', ['x'.repeat(150)]],
    ['many chunks at once', Array.from({ length: 15 }, () => 'x'.repeat(10))],
  ])('P-WS-7 %s over it, in the middle of a request, ends the turn in one transaction', (_, parts) => {
    const world = new World({ limits: { reply_text: 100 } });
    const turn = world.turn();
    world.apply(chunk(turn, 'x'));
    world.sql.breakOn = 'DELETE FROM texts';
    expect(() => world.stream(...parts.map((part) => chunk(turn, part)))).toThrow('disk');
    world.crash();
    expect(world.journal.at(-1)).toMatchObject({ type: 'turn', status: 'running' });
  });

  test('a reply too heavy for one row is failed as well, whatever script it is in', () => {
    const world = new World({ limits: { reply_bytes: 3_000 } });
    const turn = world.turn();
    world.apply(chunk(turn, '漢'.repeat(900)));
    world.apply(chunk(turn, '字'.repeat(900)));
    expect(world.journal.slice(-2)).toMatchObject([
      { text: '漢'.repeat(900), partial: true },
      { status: 'failed' },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import type { ChannelEvent } from '../../../src/channel/events.ts';
import type { Producer } from '../../../src/channel/producers.ts';
import { ProducerError } from '../../../src/channel/producers.ts';
import { each, enqueue, type Numbered } from '../../../src/channel/runs.ts';
import { chunk, done, event, think, World } from './harness.ts';

const message = (text: string) => event({ kind: 'message', text });
const numbered = (events: ChannelEvent[], from = 0) => events.map((one, i) => ({ n: from + i, event: one }));

describe('P-UP-7 Idempotency-Key', () => {
  const send = (world: World, events: ChannelEvent[], key = 'key k', body = 'hash') =>
    world.ingest({ key, body, events: numbered(events) }).results.map(({ result }) => result);

  test('P-UP-7 each event counts once, and the same ids come back', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    const events = [
      message('one'),
      chunk(turn, 'text'),
      event({ kind: 'prompt', question: 'q' }),
      done(turn),
    ];
    const first = send(world, events);
    const head = world.head;
    tab.socket.clear();
    for (const again of [() => world.evict(), () => world.crash()]) {
      const second = send(world, events);
      expect(second.map(({ id, seq }) => [id, seq])).toEqual(
        first.map(({ id, seq }, n) => (n === 1 ? [undefined, undefined] : [id, seq])),
      );
      expect(second.every(({ duplicate, delivered }) => duplicate && !delivered)).toBe(true);
      again();
    }
    expect(world.head).toBe(head);
    expect(tab.socket.frames).toEqual([]);
  });

  test('P-UP-7 a different body is idempotency_mismatch, and nothing is applied', () => {
    const world = new World();
    send(world, [message('one')]);
    expect(() => send(world, [message('two')], 'key k', 'other')).toThrow('another body');
    expect(world.head).toBe(1);
    send(world, [message('two')], 'key other', 'other');
    expect(world.head).toBe(2);
  });

  test('P-UP-7 events that were refused are tried again, those that were applied are not', () => {
    const world = new World();
    const events = [message('one'), chunk('later', 'early'), message('three')];
    const first = send(world, events);
    expect(first[1]?.error?.code).toBe('not_found');
    world.turn('later');
    const second = send(world, events);
    expect(second.map(({ duplicate }) => duplicate)).toEqual([true, undefined, true]);
    expect(world.channel.turn('later')?.text_length).toBe(5);
    expect(send(world, events).map(({ duplicate }) => duplicate)).toEqual([true, true, true]);
    expect(world.channel.turn('later')?.text_length).toBe(5);
  });

  test('P-UP-7 a request that broke off goes on where it stopped, also after a crash', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, '0'));
    const lines = Array.from({ length: 10 }, (_, n) => ({ n, event: chunk(turn, `${n}`) }));
    const key = 'key stream';
    world.ingest({ key, events: lines.slice(0, 4), end: false });
    world.channel.flush();
    world.ingest({ key, events: lines.slice(4, 7), end: false });
    world.crash();
    world.ingest({ key, events: lines });
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: '00123456789' });
  });

  test('P-UP-7 what was shown but not stored before a crash is not taken for seen', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'a'));
    world.ingest({ key: '~run 1', events: numbered([chunk(turn, 'b')]), end: false });
    world.crash();
    world.ingest({ key: '~run 1', events: numbered([chunk(turn, 'b'), chunk(turn, 'c')]) });
    expect(world.channel.turn(turn)?.text_length).toBe(3);
  });

  test('a key of our own is forgotten with the end of its request', () => {
    const world = new World();
    world.ingest({ key: '~lines 1', events: numbered([message('one')]) });
    expect(world.sql.rows('ingests')).toEqual([]);
    expect(world.sql.rows('results')).toEqual([]);
  });

  test('thousands of refused events neither break the channel nor lose what is applied', () => {
    const world = new World();
    const tab = world.connect();
    const bad = Array.from({ length: 1_500 }, () => chunk('nothing', 'x'));
    const events = [message('first'), ...bad, message('last')];
    const results = send(world, events);
    expect(results.slice(1).every(({ error }) => error !== undefined)).toBe(true);
    expect(results.at(-1)?.error?.code).toBe('bad_request');
    expect(world.apply(message('after'))).toMatchObject({ seq: 2, delivered: true });
    expect(tab.socket.of('message').map(({ seq }) => seq)).toEqual([1, 2]);
    expect(world.journal.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(send(world, events)[0]).toMatchObject({ duplicate: true, seq: 1 });
  });
});

describe('P-UP-7 producers', () => {
  const post = (world: World, producer: Producer, events: ChannelEvent[], end = true) =>
    world.ingest({ producer, events: numbered(events), end }).results.map(({ result }) => result);
  const refusal = (work: () => unknown): ProducerError => {
    try {
      work();
    } catch (error) {
      if (error instanceof ProducerError) return error;
    }
    throw new Error('was not refused');
  };

  test('P-UP-7 a duplicate is answered and applied once', () => {
    const world = new World();
    const first = post(world, { id: 'p', epoch: 0, seq: 0 }, [message('one')]);
    post(world, { id: 'p', epoch: 0, seq: 1 }, [message('two')]);
    world.crash();
    const again = post(world, { id: 'p', epoch: 0, seq: 0 }, [message('one')]);
    expect(again).toMatchObject([{ id: first[0]?.id, seq: 1, duplicate: true }]);
    expect(world.head).toBe(2);
  });

  test('P-UP-7 a gap is a conflict with what was expected and received', () => {
    const world = new World();
    expect(refusal(() => post(world, { id: 'p', epoch: 0, seq: 1 }, [message('x')]))).toMatchObject({
      code: 'conflict',
      headers: { 'Producer-Expected-Seq': '0', 'Producer-Received-Seq': '1' },
    });
    post(world, { id: 'p', epoch: 0, seq: 0 }, [message('one')]);
    expect(refusal(() => post(world, { id: 'p', epoch: 0, seq: 5 }, [message('x')])).headers).toEqual({
      'Producer-Expected-Seq': '1',
      'Producer-Received-Seq': '5',
    });
    expect(world.head).toBe(1);
  });

  test('P-UP-7 an older epoch is fenced off, a new one begins at 0', () => {
    const world = new World();
    post(world, { id: 'p', epoch: 1, seq: 0 }, [message('one')]);
    expect(refusal(() => post(world, { id: 'p', epoch: 2, seq: 1 }, [message('x')])).code).toBe(
      'bad_request',
    );
    post(world, { id: 'p', epoch: 2, seq: 0 }, [message('two')]);
    expect(refusal(() => post(world, { id: 'p', epoch: 1, seq: 1 }, [message('zombie')]))).toMatchObject({
      code: 'forbidden',
      headers: { 'Producer-Epoch': '2' },
    });
    post(world, { id: 'q', epoch: 0, seq: 0 }, [message('another producer')]);
    expect(world.journal.map((frame) => frame.type === 'message' && frame.text)).toEqual([
      'one',
      'two',
      'another producer',
    ]);
  });

  test('P-UP-7 a partial request is resumed: what was applied counts once, and it ends only once', () => {
    const world = new World();
    const first = { id: 'p', epoch: 0, seq: 0 };
    post(world, first, [message('one'), message('two')], false);
    expect(refusal(() => post(world, { ...first, seq: 1 }, [message('x')])).code).toBe('conflict');
    world.crash();
    const results = post(world, first, [message('one'), message('two'), message('three')]);
    expect(results.map(({ duplicate }) => duplicate)).toEqual([true, true, undefined]);
    post(world, { ...first, seq: 1 }, [message('four')]);
    expect(world.head).toBe(4);
  });
});

describe('P-UP-6 results', () => {
  test('P-UP-6 in order, an id though nobody was reachable, delivered where one session was written', () => {
    const world = new World();
    expect(world.results(message('a'), message('b'))).toMatchObject([
      { seq: 1, delivered: false, id: expect.any(String) },
      { seq: 2, delivered: false },
    ]);
    world.connect();
    const file = {
      kind: 'file',
      id: 'file_1',
      filename: 'a b.txt',
      mimetype: 'text/plain',
      size: 2,
      data: 'aGk=',
      url: undefined,
      conversation: undefined,
      turn: undefined,
    } satisfies ChannelEvent;
    expect(world.apply(file)).toEqual({
      id: 'file_1',
      seq: 3,
      delivered: true,
      url: 'webchat://file/file_1/a b.txt',
    });
    for (const tab of [...world.tabs, world.connect(world.at(2))])
      expect(tab.socket.of('file')[0]).toMatchObject({
        data: 'aGk=',
        url: expect.stringContaining('/files/file_1/'),
      });
    expect(JSON.stringify(world.journal)).not.toContain('aGk=');
  });

  test('P-UP-8 one bad event spoils none of its neighbours', () => {
    const world = new World();
    const turn = world.turn();
    const results = world.results(
      chunk(turn, 'a'),
      event({ kind: 'edit', id: 'nothing', text: 'x' }),
      chunk(turn, 'x', 99),
      chunk(turn, 'b'),
      event({ kind: 'tool', turn, tool: 't', name: 'n', status: 'failed', result: 'x'.repeat(200_000) }),
      message('c'),
    );
    expect(results.map(({ error }) => error?.code)).toEqual([
      undefined,
      'not_found',
      'conflict',
      undefined,
      'too_large',
      undefined,
    ]);
    expect(world.channel.turn(turn)?.text_length).toBe(2);
  });

  test('P-UP-6 what was answered is stored when it is told', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'kept'));
    world.results(chunk(turn, ' too'), message('and this'));
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(8);
    expect(world.head).toBe(3);
  });

  test('P-UP-4 a turn that is opened twice under one id is one turn', () => {
    const world = new World();
    const first = world.apply(event({ kind: 'turn', id: 't1', conversation: 'work' }));
    expect(world.apply(event({ kind: 'turn', id: 't1' }))).toMatchObject({
      id: 't1',
      seq: first.seq,
      duplicate: true,
    });
    world.apply(done('t1'));
    expect(world.apply(event({ kind: 'turn', id: 't1' })).error?.code).toBe('conflict');
  });

  test('P-UP-4 on an sse: channel the turn may be left out', () => {
    const world = new World();
    world.channel.openOnlyTurn('req_1', 'default', 'queued');
    const events = [event({ kind: 'chunk', text: 'hi' }), event({ kind: 'done' })];
    world.ingest({ only: 'req_1', events: numbered(events) });
    expect(world.journal.at(-1)).toMatchObject({ turn: 'req_1', status: 'completed' });
    expect(world.apply(event({ kind: 'chunk', text: 'x' })).error).toMatchObject({
      code: 'bad_request',
      field: 'turn',
    });
  });

  test('the status of a watched turn comes with each answer', () => {
    const world = new World();
    const turn = world.turn();
    const watch = (end: boolean) => world.ingest({ events: [], end, watch: turn }).status;
    expect(watch(false)).toBe('queued');
    world.channel.cancel(turn);
    expect(watch(true)).toBe('cancelled');
  });
});

describe('how far a request has come is stored with the text that came', () => {
  const words = (turn: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ n: from + i, event: chunk(turn, `${from + i} `) }));
  const text = (to: number) => Array.from({ length: to }, (_, i) => `${i} `).join('');

  /** A turn that runs, with a request that has written ten words. */
  function written(world = new World()) {
    const turn = world.turn();
    world.ingest({ key: 'key a', events: words(turn, 0, 10), end: false, store: true });
    return { world, turn };
  }

  test('P-UP-7 a flush is one row, and after a crash nothing counts twice', () => {
    const { world, turn } = written();
    world.sql.writes = 0;
    world.ingest({ key: 'key a', events: words(turn, 10, 20), end: false, store: true });
    expect(world.sql.writes).toBe(1);
    world.crash();
    world.ingest({ key: 'key a', events: words(turn, 0, 30) });
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: text(30) });
  });

  test('P-UP-7 also where another request wrote the newest text', () => {
    const { world, turn } = written();
    world.ingest({ key: 'key b', events: [{ n: 0, event: chunk(turn, '| ') }], end: false, store: true });
    world.crash();
    world.ingest({ key: 'key a', events: words(turn, 0, 12), end: false });
    world.ingest({ key: 'key b', events: [{ n: 0, event: chunk(turn, '| ') }] });
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: `${text(10)}| 10 11 ` });
  });

  test.each([
    ['the turn ends', (turn: string) => done(turn)],
    ['its text is replaced', (turn: string) => event({ kind: 'message', turn, text: 'instead' })],
  ])('P-UP-7 also where %s by another request, and the mark goes with its text', (_, ending) => {
    const { world, turn } = written();
    const other = world.turn();
    world.apply(ending(turn));
    world.crash();
    const results = world.ingest({
      key: 'key a',
      events: [...words(turn, 0, 10), { n: 10, event: chunk(other, 'x') }],
    }).results;
    expect(results.map(({ result }) => result.duplicate ?? false)).toEqual([...Array(10).fill(true), false]);
  });

  test('P-UP-7 and of more requests than a mark tells of', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, ''));
    const keys = Array.from({ length: 9 }, (_, i) => `key ${i}`);
    const all = (end: boolean) => {
      for (const key of keys)
        world.ingest({ key, events: [{ n: 0, event: chunk(turn, `${key} `) }], end, store: true });
    };
    all(false);
    world.crash();
    all(true);
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: keys.map((key) => `${key} `).join('') });
  });
});

describe('a request of ours whose turn ends', () => {
  const rows = (world: World) =>
    ['ingests', 'results', 'texts'].filter(
      (table) =>
        world.sql.all('SELECT 1 FROM sqlite_master WHERE name = ?', table).length > 0 &&
        world.sql.all(`SELECT 1 FROM ${table}`).length > 0,
    );
  const key = '~lines 1';

  test('P-UP-7 leaves no row of itself, and what comes again after a crash was part of the turn', () => {
    for (const stored of [true, false]) {
      const world = new World();
      const turn = world.turn();
      const events = [...numbered([chunk(turn, 'a'), chunk(turn, 'b')]), { n: 2, event: done(turn) }];
      if (stored) world.ingest({ key, events: events.slice(0, 2), end: false, store: true });
      const [, , ended] = world.ingest({
        key,
        events: stored ? events.slice(2) : events,
        end: false,
      }).results;
      const head = world.head;
      expect(rows(world)).toEqual([]);
      world.crash();
      const { results } = world.ingest({ key, events, end: false, again: true });
      expect(results.map(({ result }) => [result.error, result.duplicate])).toEqual(
        Array(3).fill([undefined, true]),
      );
      if (ended) expect(results[2]?.result).toMatchObject({ id: ended.result.id, seq: ended.result.seq });
      world.ingest({ key, events: [] });
      expect(world.head).toBe(head);
      expect(world.journal.at(-2)).toMatchObject({ text: 'ab' });
    }
  });

  test('P-UP-7 counts its other turns once all the same', () => {
    const world = new World();
    const [one, two] = [world.turn(), world.turn()];
    const events = numbered([chunk(one, 'a'), chunk(two, 'x'), chunk(one, 'b'), done(one), chunk(two, 'y')]);
    world.ingest({ key, events: events.slice(0, 2), end: false, store: true });
    world.ingest({ key, events: events.slice(2), end: false });
    world.crash();
    world.ingest({ key, events, again: true });
    world.apply(done(two));
    expect(world.journal.filter(({ type }) => type === 'message')).toMatchObject([
      { text: 'ab' },
      { text: 'xy' },
    ]);
  });

  test('P-WS-11 what comes again for a turn that was cancelled meanwhile is refused', () => {
    const world = new World();
    const turn = world.turn();
    world.ingest({ key, events: numbered([chunk(turn, 'a')]), end: false });
    world.channel.cancel(turn);
    world.crash();
    const { results } = world.ingest({ key, events: numbered([chunk(turn, 'a'), done(turn)]), again: true });
    expect(results[1]?.result.error?.code).toBe('turn_finished');
  });

  test('P-UP-8 events of another request for a turn that has ended are refused', () => {
    const world = new World();
    const turn = world.turn();
    world.ingest({ key, events: numbered([chunk(turn, 'a'), done(turn)]) });
    const { results } = world.ingest({ key: '~lines 2', events: numbered([chunk(turn, 'b')]) });
    expect(results[0]?.result.error?.code).toBe('turn_finished');
  });
});

describe('a run of chunks', () => {
  /** Chunks that begin with number `from`, as one run. */
  const run = (turn: string, text: string, from = 0) => {
    const queue: Numbered[] = [];
    for (const [i, one] of [...text].entries()) enqueue(queue, from + i, chunk(turn, one));
    return queue;
  };
  const textOf = (world: World, turn: string) => {
    world.apply(done(turn));
    return world.journal.findLast(({ type }) => type === 'message');
  };

  test('P-WS-6 is one text with one result for all of it, and numbered like single chunks', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    world.apply(chunk(turn, '-'));
    tab.socket.clear();
    const { results } = world.ingest({ key: 'key k', events: run(turn, 'abcd'), end: false });
    expect(results).toMatchObject([{ n: 0, more: 3, result: { delivered: true } }]);
    expect(each(results).map(({ n }) => n)).toEqual([0, 1, 2, 3]);
    expect(tab.socket.of('chunk').map(({ text }) => text)).toEqual(['abcd']);
    world.channel.flush();
    world.crash();
    world.ingest({ key: 'key k', events: run(turn, 'abcdef') });
    expect(textOf(world, turn)).toMatchObject({ text: '-abcdef' });
  });

  test('P-UP-7 of which a part is known adds the rest', () => {
    for (const known of [1, 2, 3, 4]) {
      const world = new World();
      const turn = world.turn();
      world.apply(chunk(turn, '-'));
      world.ingest({ key: 'key k', events: run(turn, 'abcd'.slice(0, known)), end: false });
      const { results } = world.ingest({ key: 'key k', events: run(turn, 'abcd'), end: false });
      expect(each(results).map(({ result }) => result.duplicate ?? false)).toEqual(
        [0, 1, 2, 3].map((n) => n < known),
      );
      expect(textOf(world, turn)).toMatchObject({ text: '-abcd' });
    }
  });

  test('P-UP-8 that is refused is refused chunk by chunk, and each may be tried again', () => {
    const world = new World();
    const { results } = world.ingest({ key: 'key k', events: run('later', 'abc') });
    expect(results.map(({ n, result }) => [n, result.error?.code])).toEqual(
      [0, 1, 2].map((n) => [n, 'not_found']),
    );
    world.turn('later');
    world.ingest({ key: 'key k', events: run('later', 'abc') });
    expect(textOf(world, 'later')).toMatchObject({ text: 'abc' });
  });

  test('a reply that grows too long ends at the chunk that is too long, and the next is refused', () => {
    const world = new World({ limits: { reply_text: 4 } });
    const turn = world.turn();
    const { results } = world.ingest({ events: run(turn, 'abcdef') });
    expect(results.map(({ result }) => result.error?.code)).toEqual([
      ...Array.from({ length: 5 }, () => undefined),
      'turn_finished',
    ]);
  });

  test('P-UP-7 is never made of chunks that say where they begin, are of another turn or kind, or are no neighbours', () => {
    const queue: Numbered[] = [];
    const events = [
      chunk('t', 'a'),
      chunk('t', 'b', 1),
      chunk('t', 'c'),
      think('t', 'd'),
      chunk('u', 'e'),
      event({ kind: 'chunk', turn: 'u', text: 'f', reasoning: 'g' }),
      chunk('u', 'h'),
      done('u'),
      chunk('u', 'i'),
    ];
    for (const [n, one] of events.entries()) enqueue(queue, n, one);
    enqueue(queue, 20, chunk('u', 'j'));
    expect(queue.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 20]);
  });
});

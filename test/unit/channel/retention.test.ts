import { describe, expect, test } from 'vitest';
import { event, World } from './harness.ts';

const DAY_MS = 86_400_000;

/** What the owner does: gives the records what they lack, until they have everything. */
function record(world: World): string[] {
  const ids: string[] = [];
  for (let part = world.channel.archive.unrecorded; part; part = world.channel.archive.unrecorded) {
    ids.push(...part.rows.map(({ row }) => row.id));
    world.channel.archive.recorded(part.upTo);
  }
  return ids;
}

function fill(world: World, count: number, text = 'x'): void {
  for (let n = 0; n < count; n++) world.apply(event({ kind: 'message', text: `${text}${n}` }));
}

describe('retention', () => {
  test('nothing is cut that the records do not have', () => {
    const world = new World({ limits: { journal_events: 10 } });
    fill(world, 40);
    world.channel.expire();
    expect(world.journal).toHaveLength(40);
    record(world);
    expect(world.journal.length).toBeLessThanOrEqual(10);
    expect(world.head).toBe(40);
  });

  test('is cut in bulk by number, and seq goes on', () => {
    const world = new World({ limits: { journal_events: 100 } });
    fill(world, 101);
    record(world);
    expect(world.journal.map(({ seq }) => seq)).toEqual(Array.from({ length: 75 }, (_, n) => n + 27));
    expect(world.apply(event({ kind: 'message', text: 'next' })).seq).toBe(102);
  });

  test('is cut by size', () => {
    const world = new World({ limits: { journal_bytes: 20_000 } });
    fill(world, 30, 'y'.repeat(1_000));
    record(world);
    const kept = world.journal.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    expect(kept).toBeLessThanOrEqual(20_000);
    expect(kept).toBeGreaterThan(10_000);
  });

  test('is cut by age, but for the newest entry', () => {
    const world = new World();
    fill(world, 5);
    record(world);
    world.pass(8 * DAY_MS);
    world.channel.expire();
    expect(world.journal.map(({ seq }) => seq)).toEqual([5]);
  });

  test('takes the bytes of files with it', () => {
    const world = new World({ limits: { journal_events: 3 } });
    world.apply({
      kind: 'file',
      id: 'file_1',
      filename: 'a.txt',
      mimetype: 'text/plain',
      size: 1,
      data: 'YQ==',
    });
    fill(world, 6);
    record(world);
    expect(world.sql.all('SELECT id FROM blobs')).toEqual([]);
  });

  test('P-WS-8 a cursor from before the cut gets one reset "retention"; one at the cut resumes', () => {
    const world = new World({ limits: { journal_events: 10 } });
    fill(world, 20);
    record(world);
    const cut = world.channel.archive.cut;
    const { socket: late } = world.connect(world.at(cut - 1));
    expect(late.types).toEqual(['welcome', 'reset', 'ready']);
    expect(late.of('reset')).toMatchObject([{ reason: 'retention', seq: 20 }]);
    const { socket: justInTime } = world.connect(world.at(cut));
    expect(justInTime.of('message').map(({ seq }) => seq)).toEqual(world.journal.map(({ seq }) => seq));
  });

  test('what is remembered is forgotten after 7 days, in all its tables', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello', { client_id: 'c1' });
    world.ingest({
      key: 'key k',
      body: 'b',
      events: [{ n: 0, event: event({ kind: 'message', text: 'once' }) }],
    });
    const turn = world.turn();
    world.apply(event({ kind: 'done', turn, text: 'all' }));
    record(world);
    world.pass(8 * DAY_MS);
    world.channel.expire();
    for (const table of ['sends', 'ingests', 'results']) {
      expect(world.sql.all(`SELECT * FROM ${table}`), table).toEqual([]);
    }
    expect(world.channel.turn(turn)).toBeUndefined();
  });
});

describe('a cut', () => {
  const reply = (world: World, turn: string) =>
    world.channel.archive.history('default').find(({ row }) => row.type === 'message' && row.turn === turn)
      ?.row;

  test('keeps an open turn whole: its row gets its tools, in history and in the records', () => {
    const world = new World({ limits: { journal_events: 10 } });
    const turn = world.turn();
    world.apply(event({ kind: 'tool', turn, tool: 't1', name: 'look', status: 'completed' }));
    fill(world, 20);
    record(world);
    world.apply(event({ kind: 'done', turn, text: 'answer' }));
    expect(reply(world, turn)?.tools).toMatchObject([{ tool: 't1' }]);
    const { rows = [] } = world.channel.archive.unrecorded ?? {};
    expect(rows.find(({ row }) => row.id === reply(world, turn)?.id)?.row.tools).toMatchObject([
      { tool: 't1' },
    ]);
  });

  test('never goes through a finished turn', () => {
    const world = new World({ limits: { journal_events: 10 } });
    fill(world, 5);
    const turn = world.turn();
    world.apply(event({ kind: 'tool', turn, tool: 't1', name: 'look', status: 'completed' }));
    world.apply(event({ kind: 'done', turn, text: 'answer' }));
    fill(world, 5);
    record(world);
    // By number it would be at 8; the turn begins with 6.
    expect(world.channel.archive.cut).toBe(5);
    expect(reply(world, turn)?.tools).toMatchObject([{ tool: 't1' }]);
  });

  test('a reply given by a message is complete when its turn ends after it', () => {
    const world = new World({ limits: { journal_events: 10 } });
    const turn = world.turn();
    world.apply(event({ kind: 'message', turn, text: 'reply' }));
    fill(world, 20);
    record(world);
    world.apply(event({ kind: 'done', turn, usage: { output_tokens: 3 } }));
    expect(world.channel.archive.unrecorded?.rows.map(({ row }) => row)).toMatchObject([
      { text: 'reply', usage: { output_tokens: 3 } },
    ]);
  });

  test('P-WS-8 a relay without credit that it has passed is sent away to resume, and never given a hole', () => {
    const world = new World({ limits: { journal_events: 10 } });
    const { socket, session } = world.connect(world.at(0), { credit: 600, dialect: 'sse' });
    fill(world, 40);
    record(world);
    let told = 0;
    for (let n = 0; n < 60 && !socket.closed; n++) {
      const bytes = socket.texts.slice(told).join('').length;
      told = socket.texts.length;
      world.channel.credit(session, bytes);
    }
    const seqs = socket.of('message').map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, n) => n + 1));
    expect(socket.closed).toMatchObject({ code: 1012 });
  });

  test('a reply stands where its turn began', () => {
    const world = new World();
    const turn = world.turn();
    fill(world, 2);
    world.apply(event({ kind: 'done', turn, text: 'answer' }));
    expect(
      world.channel.archive.history('default').map(({ row }) => row.type === 'message' && row.text),
    ).toEqual(['answer', 'x0', 'x1']);
  });
});

describe('records', () => {
  test('get each row whole: edits, tools, usage and how it ended, however the batches fall', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(event({ kind: 'tool', turn, tool: 't1', name: 'look', status: 'completed', result: 1 }));
    world.apply(event({ kind: 'chunk', turn, text: 'Half an ans' }));
    record(world);
    world.apply(event({ kind: 'error', turn, label: 'Oops', type: 'x', message: 'm', hint: 'h' }));
    const rows = world.channel.archive.unrecorded?.rows ?? [];
    expect(rows.map(({ row }) => row)).toMatchObject([
      { type: 'message', text: 'Half an ans', partial: true, status: 'failed', error: { label: 'Oops' } },
    ]);
    expect(rows[0]?.row.tools).toMatchObject([{ tool: 't1', name: 'look', result: 1 }]);
    record(world);
    const { id = '' } = world.apply(event({ kind: 'message', text: 'before' }));
    record(world);
    world.apply(event({ kind: 'edit', id, text: 'after' }));
    expect(world.channel.archive.unrecorded?.rows.map(({ row }) => row)).toMatchObject([
      { id, text: 'after' },
    ]);
  });

  test('get every changed row once per batch, and no others', () => {
    const world = new World();
    fill(world, 3);
    expect(record(world)).toHaveLength(3);
    expect(record(world)).toEqual([]);
    world.apply(event({ kind: 'message', text: 'elsewhere', conversation: 'b' }));
    expect(record(world)).toHaveLength(1);
    expect(world.channel.archive.unrecordedSince).toBeUndefined();
  });
});

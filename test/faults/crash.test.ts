import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTerminal } from '../../src/protocol/server-frames.ts';
import type { World } from '../integration/world.ts';
import { Battered, run_ms } from './battered.ts';
import { broadcast } from './broadcast.ts';
import { counts } from './post.ts';
import { Random } from './random.ts';
import { endingsOf, expectConverged, expectExact, leave, type Scene, stage, underFire } from './scene.ts';
import { Upstream } from './upstream.ts';
import { historyOf } from './viewer.ts';

const USERS = [0, 1, 2];
/** Services that write to one user at once. */
const WRITERS = [0, 1];

const random = Random.fromEnvironment('crash');
const scenes: Scene[] = [];
let battered: Battered | undefined;

/** The whole run; the tests look at what it left behind. */
beforeAll(async () => {
  // A short journal: in long runs it is cut behind the records, as in life.
  battered = await Battered.start({
    UPSTREAM_MODE: 'demo',
    LIMITS: '{"journal_events":400,"record_after_ms":2000}',
  });
  const { world } = battered;
  for (const _ of USERS) scenes.push(await stage(world));
  const began = performance.now();
  await underFire(battered, scenes, random.fork('kills'), (signal) =>
    Promise.all([
      ...scenes.flatMap(({ person, ledger }, n) =>
        WRITERS.map((m) => new Upstream(world, person, ledger, random.fork(`${n} ${m}`)).run(signal)),
      ),
      broadcast(world, scenes, random.fork('all'), signal),
    ]),
  );
  const seconds = Math.round((performance.now() - began) / 1000);
  const entries = scenes.map(({ reader }) => reader.journal.length);
  const connections = scenes.map(({ reader }) => reader.connections);
  console.log('crash:', JSON.stringify({ ...battered.kills, ...counts, seconds, entries, connections }));
}, run_ms);

afterAll(async () => {
  for (const scene of scenes) leave(scene);
  await battered?.end();
});

describe.each(USERS)('SIGKILL during ingest, user %i', (n) => {
  const scene = (): Scene => scenes[n] ?? expect.fail('the run did not begin');
  const world = (): World => battered?.world ?? expect.fail('the run did not begin');

  test('P-WS-8 a reader that resumes gets every entry once, in order, and whole texts', () => {
    expectExact(scene());
  });

  test('P-UP-6 every acknowledged event stands where its answer said', () => {
    const { ledger, reader } = scene();
    const lost = ledger.acknowledged.filter(({ what, id, seq }) => {
      const frame = reader.journal[seq - 1];
      if (frame?.type === 'turn') return frame.turn !== id || isTerminal(frame.status) !== (what === 'done');
      return frame?.type !== what || !('id' in frame) || frame.id !== id;
    });
    expect(lost).toEqual([]);
  });

  test('P-UP-7 nothing is applied twice, and nothing that was not sent', () => {
    const { ledger, reader } = scene();
    const told = reader.journal.filter((frame) => frame.type === 'message' && frame.turn === undefined);
    expect(told).toHaveLength(ledger.messages.size);
    const tools = reader.journal.flatMap((frame) => (frame.type === 'tool' ? [frame.tool] : []));
    expect(tools.sort()).toEqual([...ledger.turns.values()].flatMap((turn) => turn.tools).sort());
    const edits = reader.journal.filter(({ type }) => type === 'edit');
    expect(edits).toHaveLength(ledger.acknowledged.filter(({ what }) => what === 'edit').length);
  });

  test('P-WS-7 each turn has one terminal, its message before it, and the text that was sent', () => {
    const { ledger, reader } = scene();
    const endings = endingsOf(reader.journal);
    expect(endings.filter(({ status }) => status !== 'completed')).toEqual([]);
    expect(endings.map(({ turn }) => turn).sort()).toEqual([...ledger.turns.keys()].sort());
    for (const { seq, turn, message } of endings) {
      const { text, reasoning } = ledger.turns.get(turn) ?? {};
      const reply = { type: 'message', id: message, turn, text, ...(reasoning ? { reasoning } : {}) };
      expect(reader.journal[seq - 2]).toMatchObject(reply);
    }
    const replies = reader.journal.filter((frame) => frame.type === 'message' && frame.turn !== undefined);
    expect(replies).toHaveLength(endings.length);
  });

  test('P-WS-8 every tab shows what history shows, and found nothing missing on the wire', async () => {
    await expectConverged(world(), scene());
  });

  test('P-UP-6 history has every message once, as it was last sent', async () => {
    const { person, ledger } = scene();
    const { messages } = await historyOf(world(), person);
    const rows = messages.flatMap((row) =>
      row.type === 'message' && row.turn === undefined ? [[row.id, row.text] as const] : [],
    );
    expect(rows).toHaveLength(ledger.messages.size);
    expect(new Map(rows)).toEqual(ledger.messages);
  });
});

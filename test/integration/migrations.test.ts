import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, expect, test } from 'vitest';
import { type Migration, migrations, prepareRecords } from '../../src/local/records.ts';

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: 'export default { fetch: () => new Response() }',
    d1Databases: ['ONE', 'TWO', 'THREE'],
    cf: false,
    telemetry: { enabled: false },
  }),
);
afterAll(() => miniflare.dispose());

const add: Migration = { name: '0001_colour.sql', sql: 'ALTER TABLE conversations ADD COLUMN colour TEXT;' };
const fill: Migration = {
  name: '0002_fill.sql',
  sql: "-- a note; with a semicolon\nUPDATE conversations SET colour = 'red';",
};
const insert = `INSERT INTO conversations (tenant, user, id, created_at, updated_at, touched, seq)
  VALUES ('default', 'ann', ?, 0, 0, 0, 0)`;

test('each migration is applied once, in order, to records that are kept', async () => {
  const db = await miniflare.getD1Database('ONE');
  await prepareRecords(db, []);
  await db.prepare(insert).bind('a').run();
  await prepareRecords(db, [add, fill]);
  await db.prepare(insert).bind('b').run();
  await prepareRecords(db, [add, fill]);
  const { results } = await db.prepare('SELECT id, colour FROM conversations ORDER BY id').all();
  expect(results).toEqual([
    { id: 'a', colour: 'red' },
    { id: 'b', colour: null },
  ]);
  expect((await db.prepare('SELECT name FROM d1_migrations ORDER BY id').all()).results).toEqual([
    { name: '0001_colour.sql' },
    { name: '0002_fill.sql' },
  ]);
});

test('one that fails changes nothing, and is tried again', async () => {
  const db = await miniflare.getD1Database('TWO');
  const broken = { ...add, sql: `${add.sql} UPDATE nowhere SET x = 1;` };
  await expect(prepareRecords(db, [broken])).rejects.toThrow('nowhere');
  await prepareRecords(db, [add]);
  expect((await db.prepare('SELECT name FROM d1_migrations').all()).results).toEqual([{ name: add.name }]);
});

test('those of this version apply', async () => {
  const db = await miniflare.getD1Database('THREE');
  await prepareRecords(db, migrations());
  await prepareRecords(db, migrations());
});

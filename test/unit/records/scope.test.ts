import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '../../../src');

test('records are reached through a scope alone: nothing else takes statements from D1', () => {
  const strays = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => /\.tsx?$/.test(file) && !file.startsWith('local') && file !== join('records', 'scope.ts'),
    )
    .filter((file) => /\bdb\.(?:prepare|exec|batch)\(/i.test(readFileSync(join(src, file), 'utf8')));
  expect(strays).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../../../src/local/paths.ts';

const LIST = 'routes/spoken.ts';

const textOf = (path: string): string => readFileSync(inRoot(path), 'utf8');

/** All modules, by their paths below `src`. */
function sources(): string[] {
  const paths = readdirSync(inRoot('src'), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => /\.tsx?$/.test(path));
}

/** What a module imports: a path below `src`, or the name of a package. */
const resolved = (path: string, from: string): string =>
  from.startsWith('.') ? posix.join(posix.dirname(path), from) : from;

/** The list of dialects, a line each. */
const lines = textOf(`src/${LIST}`)
  .split('\n')
  .filter((line) => line.startsWith('export'));
const names = lines.map((line) => /^export \{ (\w+) \}/.exec(line)?.[1] ?? expect.fail(line));

/** How a service is spoken to, in the words of other systems' services: those are not dialects of clients. */
const OF_SERVICES = [
  'config.ts',
  'hermes-variables.ts',
  'local/variables.ts',
  'upstream/bodies.ts',
  'upstream/bridge/reply.ts',
  'upstream/bridge/tools.ts',
];

describe('a dialect is modules of its own and one line', () => {
  test('the document shows that line as it is', () => {
    const [, diff = ''] = /```diff\n([^`]*)```/.exec(textOf('docs/architecture.md')) ?? [];
    const shown = diff.split('\n').filter((line) => /^[+ ]export/.test(line));
    expect(shown.map((line) => line.slice(1))).toEqual(lines);
    expect(shown.filter((line) => line.startsWith('+'))).toHaveLength(1);
  });

  test.each(names)('nothing but its own modules and the list knows %s by name', (name) => {
    const files = sources().filter(
      (path) => !OF_SERVICES.includes(path) && new RegExp(name, 'i').test(textOf(`src/${path}`)),
    );
    const others = files.filter((path) => !path.includes(name));
    expect(files).not.toEqual(others);
    expect(others).toEqual([LIST]);
  });

  test('P-DI-2 words are pure: they import the vocabulary, its schema library and each other', () => {
    const imported = sources().flatMap((path) =>
      path.startsWith('dialects/')
        ? [...textOf(`src/${path}`).matchAll(/ from '(.*)';$/gm)].map(([, from = '']) => resolved(path, from))
        : [],
    );
    expect(imported.filter((from) => !/^(?:dialects|protocol)\/|^valibot$/.test(from))).toEqual([]);
    expect(imported.length).toBeGreaterThan(0);
  });
});

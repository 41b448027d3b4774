import { readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from '../../src/local/paths.ts';
import { coldStart } from './cold/run.ts';
import { measure } from './harness/measure.ts';
import { machine, tableOf } from './harness/report.ts';
import { SCENARIOS } from './scenarios/index.ts';

const page = inRoot('docs/benchmarks.md');

const HEAD = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench paced\` measures one scenario again and replaces its part here. The production bundle
runs under Miniflare as \`npm start\` runs it, everything durable. The peers run in the same run on the same machine, and rounds
alternate between them: trust the ratios, not the milliseconds. The load is made by a process of its own; a round in which it used
more than 60 % of a core does not count. In every scenario the text that arrives is compared with what was written: a figure below
belongs to a run in which nothing was missing, doubled or in the wrong order.

Starwire checks a token at every connection, stores what it shows, and can resume. Of the peers none checks a token; Socket.IO can
resume from memory; the FastAPI gateways (as the seeds describe them: a dictionary of sockets, or a Redis subscription per
socket), the agent, the floor and the bare writer store nothing of a chunk. The floor is an object on workerd that forwards what it
reads, and the other floor one behind a Worker that does the reading; the bare writer does the same in Node.
`;

/** The names that `npm run bench` knows, in the order of the page. */
export const SPEED = [...Object.keys(SCENARIOS), 'cold'];

/** Measures one scenario, prints its tables and puts them into docs/benchmarks.md. */
export async function runSpeed(name: string): Promise<void> {
  const tables: string[] = [];
  const show = (table: string): void => {
    console.log(`\n${table}`);
    tables.push(table);
  };
  if (name === 'cold') show(await coldStart());
  for (const measurement of SCENARIOS[name] ?? []) {
    const result = await measure(measurement);
    show(tableOf(result));
    // A fast wrong answer is a failure of the run, once everything else is told.
    if (result.failed.some(({ system }) => system.name === 'starwire')) process.exitCode = 1;
  }
  writePart(name, [machine(), '', ...tables].join('\n'));
}

/** Each scenario's part lies between marks, so that one can be measured without the others. */
function writePart(name: string, part: string): void {
  const parts = new Map<string, string>();
  for (const [, known = '', text = ''] of existing().matchAll(/<!-- (\w+) -->\n([\s\S]*?)<!-- end -->/g))
    parts.set(known, text);
  parts.set(name, `## ${name}\n\n${part}\n`);
  const ordered = SPEED.flatMap((known) => {
    const text = parts.get(known);
    return text === undefined ? [] : [`<!-- ${known} -->\n${text}<!-- end -->\n`];
  });
  writeFileSync(page, [HEAD, ...ordered].join('\n'));
}

function existing(): string {
  try {
    return readFileSync(page, 'utf8');
  } catch {
    return '';
  }
}

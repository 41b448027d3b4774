import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { inRoot } from '../../../src/local/paths.ts';
import type { Goal, Outcome, Result } from '../scenarios/scenario.ts';

/** One measurement as Markdown: a table, who was left out, and the goals. */
export function tableOf({ measurement, outcomes, absent, failed }: Result): string {
  const { title, columns, goals, limits } = measurement;
  const own = outcomes.find(({ system }) => system.name === 'starwire');
  const heads = columns.flatMap(({ heading, ratio }) => (ratio ? [heading, '× Starwire'] : [heading]));
  const rows = outcomes.map(({ system, figures, valid, invalid }) => [
    valid === 0 ? `${system.title} *` : system.title,
    ...columns.flatMap(({ figure, digits, ratio }) => {
      const value = figures[figure];
      const shown = value === undefined ? '–' : value.toFixed(digits);
      return ratio ? [shown, timesOf(value, own?.figures[figure])] : [shown];
    }),
    invalid > 0 ? `${valid} of ${valid + invalid}` : String(valid),
  ]);
  return [
    `### ${title}`,
    '',
    line(['', ...heads, 'rounds']),
    line(['---', ...heads.map(() => '---:'), '---:']),
    ...rows.map(line),
    '',
    ...(outcomes.some(({ valid }) => valid === 0)
      ? ['\\* The generator itself was the limit: this system is at least as good as that.', '']
      : []),
    ...absent.map(({ system, why }) => `**${system.title} was not measured: it ${why}.**\n`),
    ...failed.map(({ system, why }) => `**${system.title} failed under this load: ${why}**\n`),
    ...goals.map((goal) => `- ${judge(goal, outcomes)}`),
    '',
    ...(limits === undefined ? [] : [limits, '']),
  ].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const timesOf = (value: number | undefined, own: number | undefined): string =>
  value === undefined || !own ? '–' : `${(value / own).toFixed(2)} ×`;

/** Whether a goal is met, with the figure that says so. */
export function judge(goal: Goal, outcomes: readonly Outcome[]): string {
  const { figure, against, at_most, at_least } = goal;
  const own = outcomes.find(({ system }) => system.name === 'starwire')?.figures[figure];
  const peer = outcomes.find(({ system }) => system.name === against);
  const theirs = against === undefined ? 1 : peer?.figures[figure];
  const bound = at_most === undefined ? `≥ ${at_least}` : `≤ ${at_most}`;
  const says = `\`${figure}\` ${bound}${against === undefined ? '' : ` × ${peer?.system.title ?? against}`}`;
  if (own === undefined || theirs === undefined) return `${says}: **not measured**`;
  const value = own / theirs;
  const met = value <= (at_most ?? Number.POSITIVE_INFINITY) && value >= (at_least ?? 0);
  return `${says}: ${value.toPrecision(3)} → **${met ? 'met' : 'not met'}**`;
}

/** What the figures were made on: no names of machines, no paths. */
export function machine(): string {
  const versions = Object.entries({
    Node: process.versions.node,
    workerd: versionOf('node_modules/workerd'),
    Miniflare: versionOf('node_modules/miniflare'),
    'Socket.IO': versionOf('test/bench/peers/node_modules/socket.io'),
    agents: versionOf('test/bench/peers/node_modules/agents'),
  }).map(([name, version]) => `${name} ${version}`);
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${memory} GiB of memory, ${process.platform} ${release().split('.').slice(0, 2).join('.')}; ${versions.join(', ')}.`;
}

function versionOf(folder: string): string {
  try {
    const { version }: { version: string } = JSON.parse(
      readFileSync(inRoot(`${folder}/package.json`), 'utf8'),
    );
    return version;
  } catch {
    return '(absent)';
  }
}

import { type Bill, billOf } from '../prices.ts';
import type { Metering, Usage } from '../usage.ts';
import type { Idle } from './idle.ts';
import { naiveIdle, naiveTurn } from './naive.ts';
import type { Pace } from './service.ts';
import type { TurnKind } from './turns.ts';

export interface MeteredTurn {
  kind: TurnKind;
  pace: Pace;
  reading: Metering;
}

const KINDS: Record<TurnKind, string> = {
  webhook: 'webhook, to a tab',
  bridge: 'bridge, to a tab',
  sse: 'webhook, to `/v1` as SSE',
};

const DAY_MS = 86_400_000;

/** docs/costs.md: made by `npm run bench bill`, from what the meter counted. */
export function costsPage(turns: readonly MeteredTurn[], idle: Idle): string {
  const every = turns[0]?.pace.every_ms ?? 0;
  return `# What it costs

Made by \`npm run bench bill\`: the production Worker runs with a meter at every place that the platform bills
(\`test/bench/metered\`), whole turns go through it over real sockets and real HTTP, and a price table
(\`test/bench/prices.ts\`, US dollars, beyond what the plan includes) turns the counts into the bill. What a turn leaves for
later is in it: draining into D1, alarms, forgetting. Tokens are four characters, one every ${every} ms. The tests hold
a turn to its budget (\`test/integration/bill.test.ts\`).

## A million turns

The naive design beside it is arithmetic, not a measurement: each chunk by a request of its own, a row per chunk, and an object that plain
sockets keep in memory while the reply lasts (\`test/bench/bill/naive.ts\`).

| turn | tokens | requests | duration | rows | D1 | R2 | **total** | naive |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
${turns.map(turnLine).join('\n')}

A bridge turn keeps its own object in memory while the model speaks, because the object itself reads the model's stream: that is most
of its duration.

## What is counted in one turn

| turn | tokens | Worker requests | object requests | socket messages (20:1) | active ms | rows read | rows written | D1 rows written |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
${turns.map(usageLine).join('\n')}

${writersOf(turns)}

## People who are only there

${idle.sockets} users with an open tab each, who ping, watched for ${idle.watched_ms / 1000} s: ${idleLine(idle)}.
`;
}

function turnLine({ kind, pace, reading }: MeteredTurn): string {
  const bill = billOf(reading.usage);
  const naive = billOf(naiveTurn(pace)).total;
  const parts: (keyof Bill)[] = ['requests', 'duration', 'rows', 'records', 'files'];
  return `| ${KINDS[kind]} | ${pace.tokens} | ${parts.map((part) => dollars(bill[part])).join(' | ')} | **${dollars(bill.total)}** | ${dollars(naive)} (${(naive / bill.total).toFixed(1)} ×) |`;
}

function usageLine({ kind, pace, reading: { usage } }: MeteredTurn): string {
  const counters: (keyof Usage)[] = [
    'worker_requests',
    'object_requests',
    'socket_messages',
    'active_ms',
    'rows_read',
    'rows_written',
    'd1_rows_written',
  ];
  return `| ${KINDS[kind]} | ${pace.tokens} | ${counters.map((counter) => Math.round(usage[counter])).join(' | ')} |`;
}

/** Which statements write the rows of a webhook turn of middle length. */
function writersOf(turns: readonly MeteredTurn[]): string {
  const one = turns.find(({ kind, pace }) => kind === 'webhook' && pace.tokens === 500);
  if (!one) return '';
  const lines = Object.entries(one.reading.writers)
    .sort(([, a], [, b]) => b - a)
    .map(
      ([statement, rows]) =>
        `| \`${statement.replaceAll(/\s+/g, ' ').split('(')[0]?.trim().slice(0, 60)}\` | ${rows} |`,
    );
  return `What writes the rows of a webhook turn of 500 tokens:\n\n| statement | rows |\n|---|---:|\n${lines.join('\n')}`;
}

function idleLine({ sockets, watched_ms, connecting, idling }: Idle): string {
  const day = DAY_MS / watched_ms;
  const used = billOf(idling).total * day;
  const naive = billOf(naiveIdle(sockets, DAY_MS)).total / 1e6;
  const each = billOf(connecting).total / sockets;
  return `${idling.object_requests} object requests, ${idling.wakes} wakes, ${Math.round(idling.active_ms)} ms active, which makes ${dollars(used / 1e6)} for a day of them
(with objects that plain sockets keep in memory: ${dollars(naive)}). A million connections made cost ${dollars(each)}`;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount > 0 && amount < 10 ? 2 : 0)}`;
}

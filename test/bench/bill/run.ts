import { writeFileSync } from 'node:fs';
import { inRoot } from '../../../src/local/paths.ts';
import { billOf } from '../prices.ts';
import { meterIdle } from './idle.ts';
import { buildMetered } from './metered.ts';
import { costsPage, type MeteredTurn } from './report.ts';
import { meterTurn, TURN_KINDS } from './turns.ts';

const EVERY_MS = 20;
const LENGTHS = [50, 500, 5_000];
const IDLE_SOCKETS = 1_000;
const IDLE_MS = 20_000;

/** Meters every kind of turn and writes docs/costs.md. */
export async function runBill(): Promise<void> {
  buildMetered();
  const turns: MeteredTurn[] = [];
  for (const kind of TURN_KINDS) {
    for (const tokens of LENGTHS) {
      const pace = { tokens, every_ms: EVERY_MS };
      const reading = await meterTurn(kind, pace);
      turns.push({ kind, pace, reading });
      console.log(`${kind}, ${tokens} tokens: $${billOf(reading.usage).total.toFixed(2)} a million`);
    }
  }
  const idle = await meterIdle(IDLE_SOCKETS, IDLE_MS);
  writeFileSync(inRoot('docs/costs.md'), costsPage(turns, idle));
  console.log('docs/costs.md is written');
}

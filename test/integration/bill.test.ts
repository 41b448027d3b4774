import { beforeAll, describe, expect, test } from 'vitest';
import { buildMetered } from '../bench/bill/metered.ts';
import { meterTurn, TURN_KINDS } from '../bench/bill/turns.ts';
import { billOf } from '../bench/prices.ts';

/**
 * What a turn of 50 tokens may use: a change that makes it dearer has to say so here. The bill is without duration, which a busy
 * machine would change; docs/costs.md has all of it.
 */
const BUDGETS = {
  webhook: { object_requests: 8, rows_written: 29, d1_rows_written: 14, dollars_a_million: 45 },
  bridge: { object_requests: 8, rows_written: 29, d1_rows_written: 14, dollars_a_million: 45 },
  sse: { object_requests: 7, rows_written: 36, d1_rows_written: 2, dollars_a_million: 42 },
};

describe('a turn keeps its budget', () => {
  beforeAll(() => buildMetered());

  test.concurrent.each(TURN_KINDS)('%s', async (kind) => {
    const { dollars_a_million, ...limits } = BUDGETS[kind];
    const { usage } = await meterTurn(kind, { tokens: 50, every_ms: 20 });
    const { object_requests, rows_written, d1_rows_written } = usage;
    for (const [counter, count] of Object.entries({ object_requests, rows_written, d1_rows_written })) {
      expect(count, counter).toBeLessThanOrEqual(limits[counter as keyof typeof limits]);
      // A counter that does not count would keep every budget.
      expect(count, counter).toBeGreaterThan(0);
    }
    const { total, duration } = billOf(usage);
    expect(total - duration).toBeLessThanOrEqual(dollars_a_million);
  });
});

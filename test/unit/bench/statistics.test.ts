import { describe, expect, test } from 'vitest';
import type { Round } from '../../bench/harness/generator.ts';
import { outcomeOf } from '../../bench/harness/measure.ts';
import { judge } from '../../bench/harness/report.ts';
import { median, medians, percentile } from '../../bench/harness/statistics.ts';
import { checkText, token, tokens } from '../../bench/load/tokens.ts';
import { starwire } from '../../bench/systems/starwire.ts';

const round = (wall_ms: number, generator: number): Round => ({ figures: { wall_ms }, generator });

describe('statistics', () => {
  test('a median is the middle by size, not by order', () => {
    expect(median([30, 1, 200])).toBe(30);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow('nothing');
  });

  test('a percentile is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
  });

  test('medians are taken figure by figure', () => {
    expect(medians([{ a: 1, b: 9 }, { a: 3 }, { a: 2, b: 7 }])).toEqual({ a: 2, b: 8 });
  });
});

describe('rounds', () => {
  test('those in which the generator was too busy do not count', () => {
    const outcome = outcomeOf(starwire, [round(10, 0.2), round(1_000, 0.61), round(20, 0.6)]);
    expect(outcome).toMatchObject({ figures: { wall_ms: 15 }, valid: 2, invalid: 1 });
  });

  test('where none counts, that is said beside the figures', () => {
    expect(outcomeOf(starwire, [round(10, 0.9)])).toMatchObject({
      figures: { wall_ms: 10 },
      valid: 0,
      invalid: 1,
    });
  });
});

describe('goals', () => {
  const outcomes = [
    outcomeOf(starwire, [round(10, 0)]),
    outcomeOf({ ...starwire, name: 'seed' }, [round(40, 0)]),
  ];

  test('are met or not met by the ratio to a peer or by the figure itself', () => {
    expect(judge({ figure: 'wall_ms', against: 'seed', at_most: 0.25 }, outcomes)).toContain('**met**');
    expect(judge({ figure: 'wall_ms', against: 'seed', at_most: 0.24 }, outcomes)).toContain('**not met**');
    expect(judge({ figure: 'wall_ms', at_least: 11 }, outcomes)).toContain('**not met**');
  });

  test('without the peer there is no verdict', () => {
    expect(judge({ figure: 'wall_ms', against: 'agents', at_most: 1 }, outcomes)).toContain(
      '**not measured**',
    );
  });
});

describe('tokens', () => {
  test('are of one length and each is another one', () => {
    const all = tokens(20_001);
    expect(new Set(all).size).toBe(20_001);
    expect(all.every(({ length }) => length === 4)).toBe(true);
  });

  test('a text that lacks one, has one twice or in the wrong order is refused', () => {
    const [first, second, third] = tokens(3);
    expect(() => checkText(`${first}${second}${third}`, 3, 'a tab')).not.toThrow();
    for (const wrong of [
      `${first}${third}`,
      `${first}${second}${second}${third}`,
      `${second}${first}${third}`,
    ])
      expect(() => checkText(wrong, 3, 'a tab')).toThrow('a tab got');
    expect(token(0)).toBe(' 000');
  });
});

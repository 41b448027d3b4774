import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { BlockStream } from '../../../src/web/markdown/blocks.ts';
import { levels } from '../../../src/web/markdown/levels.ts';

const of = (text: string): number[] =>
  levels(new BlockStream((tail) => marked.lexer(tail)).update(text, true));
const headings = (depths: readonly number[]): string =>
  depths.map((depth) => `${'#'.repeat(depth)} h\n\n`).join('');

describe('the levels of headings in a message', () => {
  it('begin below the message’s own, whichever marks the model began with', () => {
    expect(of('# a\n\n## b')).toContain(4);
    expect(of('### a')).toEqual([3]);
    expect(of('## a\n\n# b')[0]).toBe(3);
  });

  it('leave none out on the way down, and change for nobody when more arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }), (depths) => {
        const all = of(headings(depths));
        all.reduce((before, level) => {
          expect(level).toBeGreaterThanOrEqual(3);
          expect(level).toBeLessThanOrEqual(Math.min(6, before + 1));
          return level;
        }, 2);
        expect(of(headings(depths.slice(0, -1)))).toEqual(
          all.slice(0, of(headings(depths.slice(0, -1))).length),
        );
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatCursor,
  formatLengths,
  formatPosition,
  parseCursor,
  parseLengths,
  parsePosition,
} from '../../../src/protocol/cursor.ts';
import { clip, exceedsBytes, utf8Bytes, wellFormed } from '../../../src/protocol/text.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const whole = fc.nat();
const lengths = fc.array(fc.tuple(id, fc.record({ text: whole, reasoning: whole })), { maxLength: 8 });

describe('P-WS-8 cursors', () => {
  test('P-WS-8 cursors, lengths and SSE ids are read back as they were written', () => {
    fc.assert(
      fc.property(id, whole, lengths, (epoch, seq, list) => {
        const turns = new Map(list);
        expect(parseCursor(formatCursor({ epoch, seq }))).toEqual({ epoch, seq });
        expect(parseLengths(formatLengths(turns))).toEqual(turns);
        expect(parsePosition(formatPosition({ epoch, seq }, turns))).toEqual({
          cursor: { epoch, seq },
          turns,
        });
      }),
    );
  });

  test.each([
    '',
    '.',
    'e',
    'e.',
    '.1',
    'e.x',
    'e.-1',
    'e.1.2',
    'e.1\n',
    ' e.1',
    'é.1',
    'e.1e3',
    `e.${'9'.repeat(16)}`,
  ])('P-WS-8 %j is no cursor', (text) => {
    expect(parseCursor(text)).toBeUndefined();
    expect(parsePosition(text)).toBeUndefined();
  });

  test.each([',', 't', 't:1', 't:1:', 't:1:2,', 't:-1:0', 't:1:2:3', ':1:2'])(
    'P-WS-8 %j is no list of lengths',
    (text) => {
      expect(parseLengths(text)).toBeUndefined();
      expect(parsePosition(`e.1~${text}`)).toBeUndefined();
    },
  );

  test('no length at all is an empty list', () => {
    expect(parseLengths('')).toEqual(new Map());
    expect(parsePosition('e.1')).toEqual({ cursor: { epoch: 'e', seq: 1 }, turns: new Map() });
  });
});

describe('P-WS-6 text', () => {
  const units = fc.string({ unit: 'binary' }).map((text) => text.slice(1));

  test('P-WS-6 becomes well-formed without changing its length', () => {
    fc.assert(
      fc.property(units, (text) => {
        expect(wellFormed(text).isWellFormed()).toBe(true);
        expect(wellFormed(text).length).toBe(text.length);
      }),
    );
  });

  test('P-WS-6 is clipped to a beginning that cuts no character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, length) => {
        const head = clip(text, length);
        expect(text.startsWith(head) && head.isWellFormed()).toBe(true);
        expect(head.length).toBeLessThanOrEqual(length);
        expect(head.length).toBeGreaterThanOrEqual(Math.min(text.length, length) - 1);
      }),
    );
  });

  test('bytes are counted as UTF-8', () => {
    fc.assert(
      fc.property(units, fc.nat(40), (text, limit) => {
        expect(exceedsBytes(text, limit)).toBe(utf8Bytes(text) > limit);
      }),
    );
  });
});

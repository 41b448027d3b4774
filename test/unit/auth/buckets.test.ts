import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addressGroup } from '../../../src/auth/address.ts';
import { Buckets } from '../../../src/auth/buckets.ts';
import { StarwireError } from '../../../src/protocol/errors.ts';

describe('limits in the memory of an isolate', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('are each key’s own, and say when to come back', () => {
    const buckets = new Buckets(2, 60, 'slow down');
    buckets.take('a');
    buckets.take('a');
    const refusal = { code: 'rate_limited', message: 'slow down', details: { retry_after: 1 } };
    expect(() => buckets.take('a')).toThrow(expect.objectContaining(refusal));
    expect(() => buckets.check('a')).toThrow(expect.objectContaining(refusal));
    buckets.take('b');
    vi.advanceTimersByTime(1_000);
    buckets.check('a');
    buckets.take('a');
    expect(() => buckets.take('a')).toThrow(StarwireError);
  });

  test('forget who was not heard of for longest, so that memory is bounded', () => {
    const buckets = new Buckets(1, 1, 'slow down');
    for (const key of ['first', 'second']) buckets.take(key);
    for (let n = 0; n < 9_999; n++) buckets.take(`other ${n}`);
    expect(() => buckets.take('second')).toThrow(StarwireError);
    buckets.take('first');
  });
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:2::', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1:2', '0:0:0:0'],
  ['127.0.0.1', undefined],
  ['127.8.9.1', undefined],
  ['::1', undefined],
  ['::ffff:127.0.0.1', undefined],
  [undefined, undefined],
])('of the address %s, %s counts', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

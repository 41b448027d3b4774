import { describe, expect, test } from 'vitest';
import { nativeUp } from '../../../src/dialects/native.ts';

const up = (frame: unknown) => nativeUp(typeof frame === 'string' ? frame : JSON.stringify(frame));

describe('P-WS-13 client frames', () => {
  test.each([
    [
      {
        type: 'message',
        client_id: 'c',
        text: 'hi',
        conversation: 'a',
        reply_to: 'm',
        attachments: [{ id: 'f' }],
        extra: { agent: 'a', options: [1] },
      },
    ],
    [{ type: 'action', client_id: 'c', message: 'm', custom_id: 'y' }],
    [{ type: 'answer', client_id: 'c', prompt: 'p', value: null }],
    [{ type: 'answer', client_id: 'c', prompt: 'p', value: { any: ['thing'] } }],
    [{ type: 'cancel', turn: 't' }],
    [{ type: 'typing', active: false }],
    [{ type: 'seen', seq: 0 }],
    [{ type: 'refresh', token: 'x.y.z' }],
  ])('P-WS-13 %j is read as it is; unknown fields are ignored', (frame) => {
    expect(up({ ...frame, surprise: 1 })).toEqual({ command: frame });
  });

  test('an extra that is no object is an unknown field', () => {
    const frame = { type: 'message', client_id: 'c', text: 'hi' };
    expect(up({ ...frame, extra: 5 })).toEqual({ command: frame });
  });

  test.each<[unknown, string | undefined]>([
    ['', undefined],
    ['ping!', undefined],
    ['{"type":"message"', undefined],
    [null, undefined],
    [[], undefined],
    [5, undefined],
    [{}, 'type'],
    [{ type: 'shout' }, 'type'],
    [{ type: 'constructor' }, 'type'],
    [{ type: 5 }, 'type'],
    [{ type: 'message', text: 'x' }, 'client_id'],
    [{ type: 'message', client_id: '', text: 'x' }, 'client_id'],
    [{ type: 'message', client_id: 'x'.repeat(65), text: 'x' }, 'client_id'],
    [{ type: 'message', client_id: '\ud83d', text: 'x' }, 'client_id'],
    [{ type: 'message', client_id: 'c' }, 'text'],
    [{ type: 'message', client_id: 'c', text: ['x'] }, 'text'],
    [{ type: 'message', client_id: 'c', text: 'x', conversation: '' }, 'conversation'],
    [{ type: 'message', client_id: 'c', text: 'x', conversation: 'a\u0000b' }, 'conversation'],
    [{ type: 'message', client_id: 'c', text: 'x', extra: { a: 'x'.repeat(4_096) } }, 'extra'],
    [{ type: 'message', client_id: 'c', text: 'x', attachments: ['f'] }, 'attachments.0'],
    [{ type: 'message', client_id: 'c', text: 'x', attachments: [{}] }, 'attachments.0.id'],
    [{ type: 'action', client_id: 'c', message: 'm' }, 'custom_id'],
    [{ type: 'action', client_id: 'c', message: 'm', custom_id: '' }, 'custom_id'],
    [{ type: 'answer', client_id: 'c', prompt: 'p' }, 'value'],
    [{ type: 'cancel' }, 'turn'],
    [{ type: 'cancel', turn: 'x'.repeat(129) }, 'turn'],
    [{ type: 'typing' }, 'active'],
    [{ type: 'seen', seq: -1 }, 'seq'],
    [{ type: 'seen', seq: '1' }, 'seq'],
    [{ type: 'refresh' }, 'token'],
  ])('P-WS-13 %j is bad_request and names %s', (frame, field) => {
    const read = up(frame);
    if (!('error' in read)) throw new Error('was not refused');
    expect([read.error.code, read.error.body.field]).toEqual(['bad_request', field]);
    expect(read.error.message.length).toBeLessThan(301);
  });

  test('P-WS-13 the client_id of a refused frame comes back with the error', () => {
    expect(up({ type: 'message', client_id: 'c9' })).toMatchObject({ client_id: 'c9' });
    expect(up({ type: 'message', client_id: 5 })).not.toHaveProperty('client_id');
  });
});

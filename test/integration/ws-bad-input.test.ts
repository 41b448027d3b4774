import { describe, expect, test } from 'vitest';
import { useWorld } from './world.ts';

const world = useWorld();

const connected = async () => world().connect(await world().person());

describe('P-WS-13 bad input is told by field, and the socket stays open', () => {
  const frame = (fields: object) => JSON.stringify({ type: 'message', client_id: 'c', text: 'x', ...fields });
  const cases: [string, string, { code: string; field?: string; client_id?: string }][] = [
    ['not JSON', 'hello', { code: 'bad_request' }],
    ['an empty text', '', { code: 'bad_request' }],
    ['half a frame', '{"type":"message"', { code: 'bad_request' }],
    ['Ping in capitals', 'PING', { code: 'bad_request' }],
    ['a number', '7', { code: 'bad_request' }],
    ['null', 'null', { code: 'bad_request' }],
    ['an array', '[{"type":"message"}]', { code: 'bad_request' }],
    ['no type', '{}', { code: 'bad_request', field: 'type' }],
    ['an unknown type', '{"type":"shout"}', { code: 'bad_request', field: 'type' }],
    ['a type from a prototype', '{"type":"constructor"}', { code: 'bad_request', field: 'type' }],
    ['a type that is no text', '{"type":7}', { code: 'bad_request', field: 'type' }],
    ['no client_id', '{"type":"message","text":"x"}', { code: 'bad_request', field: 'client_id' }],
    ['an empty client_id', frame({ client_id: '' }), { code: 'bad_request', field: 'client_id' }],
    ['a long client_id', frame({ client_id: 'c'.repeat(65) }), { code: 'bad_request', field: 'client_id' }],
    ['no text', '{"type":"message","client_id":"c"}', { code: 'bad_request', field: 'text', client_id: 'c' }],
    ['an empty message', frame({ text: '' }), { code: 'bad_request', field: 'text', client_id: 'c' }],
    ['a text that is no text', frame({ text: ['x'] }), { code: 'bad_request', field: 'text' }],
    ['a text over the limit', frame({ text: 'x'.repeat(32_769) }), { code: 'too_large', field: 'text' }],
    [
      'a conversation with a line break',
      frame({ conversation: 'a\nb' }),
      { code: 'bad_request', field: 'conversation' },
    ],
    ['attachments that are none', frame({ attachments: {} }), { code: 'bad_request', field: 'attachments' }],
    [
      'an attachment without id',
      frame({ attachments: [{}] }),
      { code: 'bad_request', field: 'attachments.0.id' },
    ],
    [
      'an unknown attachment',
      frame({ attachments: [{ id: 'file_x' }] }),
      { code: 'not_found', field: 'attachments' },
    ],
    [
      'eleven attachments',
      frame({ attachments: Array.from({ length: 11 }, () => ({ id: 'f' })) }),
      { code: 'too_large', field: 'attachments' },
    ],
    ['a reply to nothing', frame({ reply_to: 7 }), { code: 'bad_request', field: 'reply_to' }],
    ['an action without message', frame({ type: 'action' }), { code: 'bad_request', field: 'message' }],
    [
      'an action on an unknown message',
      frame({ type: 'action', message: 'm', custom_id: 'b' }),
      { code: 'not_found', field: 'message' },
    ],
    ['an answer without prompt', frame({ type: 'answer' }), { code: 'bad_request', field: 'prompt' }],
    [
      'an answer to an unknown prompt',
      frame({ type: 'answer', prompt: 'p', value: 1 }),
      { code: 'not_found', field: 'prompt' },
    ],
    ['a cancel without turn', '{"type":"cancel"}', { code: 'bad_request', field: 'turn' }],
    ['a cancel of an unknown turn', '{"type":"cancel","turn":"t"}', { code: 'not_found' }],
    ['typing without active', '{"type":"typing"}', { code: 'bad_request', field: 'active' }],
    ['seen that is no number', '{"type":"seen","seq":"1"}', { code: 'bad_request', field: 'seq' }],
    ['seen below zero', '{"type":"seen","seq":-1}', { code: 'bad_request', field: 'seq' }],
    ['refresh without token', '{"type":"refresh"}', { code: 'bad_request', field: 'token' }],
    ['refresh with a bad token', '{"type":"refresh","token":"x"}', { code: 'unauthorized' }],
  ];

  test.each(cases)('%s', async (_, text, error) => {
    const client = await connected();
    client.send(text);
    const told = await client.frame('error');
    expect(told).toMatchObject({ message: expect.any(String), retryable: false, ...error });
    expect(told.field).toBe(error.field);
    if (error.field && error.field !== 'type') expect(told.message).toMatch(/"[\w.]+"|there is/);
    expect(told.message.length).toBeLessThanOrEqual(300);
    await client.settled();
    expect(client.durable()).toEqual([]);
    await client.close();
  });

  test('unknown fields are ignored', async () => {
    const client = await connected();
    client.send(frame({ text: 'silent', colour: 'red', role: 'assistant', sender: 'star' }));
    expect(await client.frame('message')).toMatchObject({ role: 'user', text: 'silent' });
    expect(client.all('message')[0]).not.toHaveProperty('colour');
  });

  test('a lone surrogate in a text becomes U+FFFD', async () => {
    const client = await connected();
    client.send('{"type":"message","client_id":"c","text":"silent \\ud83c"}');
    expect((await client.frame('message')).text).toBe('silent \ufffd');
  });

  test('a text of exactly the limit is taken', async () => {
    const client = await connected();
    client.send(frame({ text: `silent ${'x'.repeat(32_761)}` }));
    expect((await client.frame('message')).text).toHaveLength(32_768);
  });
});

describe('P-WS-13 what ends the connection', () => {
  test('bad frames: nine are told, the tenth ends it with 1008', async () => {
    const client = await connected();
    for (let n = 0; n < 9; n++) client.send('bad');
    await client.until(() => client.all('error').length === 9 || undefined);
    await client.settled();
    client.send('bad');
    client.send('bad');
    expect((await client.closed).code).toBe(1008);
    expect(client.all('error').filter(({ code }) => code === 'bad_request')).toHaveLength(10);
  });

  test('bad frames of one tab leave the others alone', async () => {
    const person = await world().person();
    const [bad, good] = [await world().connect(person), await world().connect(person)];
    for (let n = 0; n < 11; n++) bad.send('bad');
    await bad.closed;
    await good.settled();
    expect(good.all('error').filter(({ code }) => code === 'bad_request')).toEqual([]);
  });

  test('a binary frame: 1003', async () => {
    const client = await connected();
    client.sendBinary(new TextEncoder().encode('{"type":"typing","active":true}'));
    expect((await client.closed).code).toBe(1003);
  });

  test('a frame over 256 KiB: 1009; one below it is read', async () => {
    const client = await connected();
    client.send(`"${'x'.repeat(262_144 - 2)}"`);
    expect(await client.frame('error')).toMatchObject({ code: 'bad_request' });
    client.send(`"${'x'.repeat(262_144 - 1)}"`);
    expect((await client.closed).code).toBe(1009);
  });

  test('bytes count, not characters', async () => {
    const client = await connected();
    client.send(`"${'ü'.repeat(140_000)}"`);
    expect((await client.closed).code).toBe(1009);
  });
});

import { describe, expect, test } from 'vitest';
import { StarwireError } from '../../../src/protocol/errors.ts';
import { parseOutbound } from '../../../src/protocol/outbound.ts';

const read = (fields: Record<string, unknown>) => parseOutbound({ channel: 'webchat:ann', ...fields }).event;

/** The field and code that a refusal names. */
function refusal(input: unknown): [string, string | undefined] {
  try {
    parseOutbound(input);
  } catch (error) {
    if (error instanceof StarwireError) return [error.code, error.body.field];
    throw error;
  }
  throw new Error('was not refused');
}

describe('P-UP-4 outbound events', () => {
  test.each([
    ['webchat:ann', { kind: 'webchat', id: 'ann' }],
    ['webchat:a:b:c', { kind: 'webchat', id: 'a:b:c' }],
    ['sse:req_1', { kind: 'sse', id: 'req_1' }],
  ])('P-UP-4 %s: everything after the first colon is the id', (channel, expected) => {
    expect(parseOutbound({ channel, kind: 'message', text: '' }).channel).toEqual(expected);
  });

  test('P-UP-4 tenant defaults to default, unknown fields are ignored, null is as if left out', () => {
    const addressed = parseOutbound({
      channel: 'webchat:ann',
      kind: 'message',
      text: 'hi',
      conversation: null,
      turn: null,
      surprise: { x: 1 },
    });
    expect(addressed.tenant).toBe('default');
    expect(JSON.parse(JSON.stringify(addressed.event))).toEqual({ kind: 'message', text: 'hi' });
  });

  test.each<[unknown, string | undefined]>([
    [null, undefined],
    ['text', undefined],
    [[], 'channel'],
    [{ kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'ann', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'webchat:', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'mail:ann', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'webchat:ann', tenant: 'Not OK', kind: 'message', text: 'x' }, 'tenant'],
    [{ channel: 'webchat:ann' }, 'kind'],
    [{ channel: 'webchat:ann', kind: 'shout' }, 'kind'],
    [{ channel: 'webchat:ann', kind: 'toString' }, 'kind'],
    [{ channel: 'webchat:ann', kind: 'message' }, 'text'],
    [{ channel: 'webchat:ann', kind: 'message', text: 5 }, 'text'],
    [{ channel: 'webchat:ann', kind: 'message', text: 'x', id: 'a b' }, 'id'],
    [
      { channel: 'webchat:ann', kind: 'message', text: 'x', buttons: [{ label: 'a' }] },
      'buttons.0.custom_id',
    ],
    [{ channel: 'webchat:ann', kind: 'message', text: 'x', view: { children: 'no' } }, 'view.children'],
    [{ channel: 'webchat:ann', kind: 'edit', text: 'x' }, 'id'],
    [{ channel: 'webchat:ann', kind: 'typing' }, 'active'],
    [{ channel: 'webchat:ann', kind: 'chunk', turn: 't', text: 'x', offset: -1 }, 'offset'],
    [{ channel: 'webchat:ann', kind: 'chunk', turn: 't', text: 'x', offset: 1.5 }, 'offset'],
    [{ channel: 'webchat:ann', kind: 'chunk', turn: 't', text: 'x', reasoning: 5 }, 'reasoning'],
    [{ channel: 'webchat:ann', kind: 'tool', turn: 't', tool: 'c', name: 'n', status: 'done' }, 'status'],
    [{ channel: 'webchat:ann', kind: 'prompt', turn: 't' }, 'question'],
    [{ channel: 'webchat:ann', kind: 'prompt', question: 'q', choices: [] }, 'choices'],
    [{ channel: 'webchat:ann', kind: 'prompt', question: 'q', choices: [5] }, 'choices.0'],
    [{ channel: 'webchat:ann', kind: 'prompt', question: 'q', prompt_kind: 'quiz' }, 'prompt_kind'],
    [{ channel: 'webchat:ann', kind: 'done', turn: 't', usage: { input_tokens: 'x' } }, 'usage.input_tokens'],
    [{ channel: 'webchat:ann', kind: 'file', filename: 'a.txt' }, 'data'],
    [
      { channel: 'webchat:ann', kind: 'file', filename: 'a.txt', data: 'aGk=', url: 'https://a.example/b' },
      'data',
    ],
    [{ channel: 'webchat:ann', kind: 'file', filename: 'a.txt', data: 'not base64!' }, 'data'],
    [{ channel: 'webchat:ann', kind: 'file', filename: '../a', data: 'aGk=' }, 'filename'],
    [{ channel: 'webchat:ann', kind: 'file', filename: 'a', url: 'http://a.example/b' }, 'url'],
    [{ channel: 'webchat:ann', kind: 'file', filename: 'a', mimetype: 'text', data: 'aGk=' }, 'mimetype'],
  ])('P-UP-8 %j is bad_request and names %s', (input, field) => {
    expect(refusal(input)).toEqual(['bad_request', field]);
  });

  test('a refusal never repeats a long input', () => {
    const input = { channel: 'webchat:ann', kind: 'edit', id: 'x'.repeat(10_000), text: 'x' };
    try {
      parseOutbound(input);
      expect.unreachable();
    } catch (error) {
      expect(String(error).length).toBeLessThan(400);
    }
  });
});

describe('P-UP-5 buttons', () => {
  test('P-UP-5 every child of a view with a label becomes a button', () => {
    const event = read({
      kind: 'message',
      text: 'which?',
      view: {
        timeout: 180,
        children: [
          { type: 2, label: 'Yes', custom_id: 'y', style: 3, emoji: { name: '👍', id: null } },
          { type: 2, label: 'No', custom_id: 'n', style: 'danger', emoji: '👎', disabled: true },
          { type: 2, label: 'Docs', url: 'https://a.example', emoji: { id: 5 } },
          { type: 3, custom_id: 'select', options: [] },
          { type: 2, label: 7, custom_id: 'number' },
        ],
      },
    });
    expect(event).toMatchObject({
      view: [
        { label: 'Yes', custom_id: 'y', style: '3', emoji: '👍' },
        { label: 'No', custom_id: 'n', style: 'danger', emoji: '👎' },
        { label: 'Docs', custom_id: '' },
      ],
    });
    expect(JSON.stringify(event)).not.toContain('[object');
  });

  test('P-UP-5 buttons may come with an edit too, at most 50', () => {
    const buttons = Array.from({ length: 51 }, (_, i) => ({ label: `${i}`, custom_id: `${i}` }));
    expect(read({ kind: 'edit', id: 'm', text: '', buttons: buttons.slice(1) })).toMatchObject({
      buttons: buttons.slice(1),
    });
    expect(refusal({ channel: 'webchat:ann', kind: 'edit', id: 'm', text: '', buttons })[1]).toBe('buttons');
  });
});

describe('prompts', () => {
  test.each([
    [{ kind: 'prompt', prompt_kind: 'approval', question: 'q', prompt: 'p1' }],
    [{ kind: 'prompt', prompt: { kind: 'approval', question: 'q', id: 'p1' } }],
  ])('may come flat or nested: %j', (fields) => {
    expect(read(fields)).toMatchObject({
      kind: 'prompt',
      prompt_kind: 'approval',
      question: 'q',
      prompt: 'p1',
    });
  });
});

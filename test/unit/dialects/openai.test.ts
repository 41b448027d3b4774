import { describe, expect, test } from 'vitest';
import { openaiUsage } from '../../../src/dialects/openai.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, content, down, edit, file, message, prompt, START, turn } from './frames.ts';

const delta = (fields: object, finish_reason: string | null = null) => ({
  id: 'req_1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'some-model',
  choices: [{ index: 0, delta: fields, finish_reason }],
});

describe('P-OA-3 a stream', () => {
  test('P-OA-3 from its first delta to its end', () => {
    const frames = [
      turn('queued'),
      turn('running'),
      chunk('Hm. ', 0, 'reasoning'),
      chunk('Hello', 0),
      chunk(' world', 5),
      message('Hello world', { reasoning: 'Hm. ' }),
      turn('completed', { finish_reason: 'length', usage: { input_tokens: 1, output_tokens: 2 } }),
    ];
    expect(down(frames, { ...START, include_usage: true }).events).toEqual([
      delta({ role: 'assistant', reasoning_content: 'Hm. ' }),
      delta({ content: 'Hello' }),
      delta({ content: ' world' }),
      delta({}, 'length'),
      {
        ...delta({}),
        choices: [],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      },
      '[DONE]',
    ]);
  });

  test('P-OA-3 without any text', () => {
    expect(down([turn('queued'), turn('completed')]).events).toEqual([
      delta({ role: 'assistant', content: '' }),
      delta({}, 'stop'),
      '[DONE]',
    ]);
  });

  test('P-OA-4 that fails is told, and has no finish reason', () => {
    const error = { label: 'L', type: 'upstream_http', message: 'Broken.', hint: 'Wait.' };
    expect(down([chunk('So'), message('So', { partial: true }), turn('failed', { error })]).events).toEqual([
      delta({ role: 'assistant', content: 'So' }),
      { error: { message: 'Broken. Wait.', type: 'upstream_http', param: null, code: 'upstream_http' } },
      '[DONE]',
    ]);
  });

  test.each(['cancelled', 'expired'] as const)('P-OA-4 that is %s without a word of why', (status) => {
    const { events } = down([turn(status)]);
    expect(events).toEqual([
      { error: { message: `The request was ${status}.`, type: status, param: null, code: status } },
      '[DONE]',
    ]);
  });

  test('P-OA-3 has nothing behind its end, and nothing of other turns and people', () => {
    const foreign: ServerFrame[] = [
      turn('completed', { turn: 'req_2' }),
      message('I said this', { role: 'user', id: 'msg_0' }),
      { type: 'typing', active: true, sender: 'star' },
    ];
    expect(down(foreign).events).toEqual([]);
    const end = [turn('completed'), chunk('late'), turn('completed'), file()];
    expect(down(end).events).toHaveLength(3);
  });

  test('P-WS-8 a text that comes again is left out as far as it was sent', () => {
    const { events } = down([chunk('Hello'), chunk('lo wor', 3), chunk('Hello world', 0), chunk('Hello', 0)]);
    expect(content(events)).toBe('Hello world');
  });

  test('P-OA-3 a long text is cut into pieces that keep surrogate pairs whole', () => {
    const text = `x${'😀'.repeat(20_000)}`;
    const { events } = down([chunk(text)]);
    expect(content(events)).toBe(text);
    for (const event of events) {
      const json = JSON.stringify(event);
      expect(json.length).toBeLessThan(65_536);
      expect(json).not.toMatch(/\\ud[89a-f]/);
    }
  });

  test('P-OA-3 a lone half of a pair at the end of a foreign text is no trap', () => {
    expect(
      content(down([message('x', { id: 'msg_2', buttons: [{ label: '\ud83d', custom_id: 'b' }] })]).events),
    ).toBe('x\n\n- \ud83d');
  });
});

describe('P-OA-5 what becomes text', () => {
  const buttons = [
    { label: 'Tea', custom_id: 't', emoji: '🍵' },
    { label: 'None', custom_id: 'n' },
  ];
  const cases: [string, ServerFrame[], string][] = [
    ['a reply as one message', [message('Hello')], 'Hello'],
    ['buttons', [message('Which?', { buttons })], 'Which?\n\n- 🍵 Tea\n- None'],
    [
      'buttons that the whole reply repeats',
      [message('Which?', { buttons }), chunk(' Say.', 6), message('Which? Say.', { buttons })],
      'Which?\n\n- 🍵 Tea\n- None\n\n Say.',
    ],
    [
      'other buttons than before',
      [message('Which?', { buttons }), edit('Which?', { buttons: buttons.slice(1) })],
      'Which?\n\n- 🍵 Tea\n- None\n\n- None',
    ],
    ['buttons without a text', [message('', { buttons })], '- 🍵 Tea\n- None'],
    ['another message', [message('One'), message('Two', { id: 'msg_2' })], 'One\n\nTwo'],
    ['an image', [chunk('See:'), file()], 'See:\n\n![a.png](https://example.org/a.png)'],
    [
      'a file with a name that is Markdown',
      [file({ filename: '[a]\\b.txt', mimetype: 'text/plain' })],
      '[\\[a\\]\\\\b.txt](https://example.org/a.png)',
    ],
    [
      'text behind a file',
      [chunk('A'), file(), chunk('B', 1)],
      'A\n\n![a.png](https://example.org/a.png)\n\nB',
    ],
    ['a question', [prompt({ choices: ['a', { value: 'b', label: 'Bee' }] })], 'Which?\n\n- a\n- Bee'],
    ['a question that is only told again', [prompt({ snapshot: true })], ''],
    ['an edit of another message', [chunk('A'), edit('B', { id: 'msg_2' })], 'A\n\n*Edited:* B'],
    ['an edit that goes on', [message('One'), edit('One, two', { buttons })], 'One, two\n\n- 🍵 Tea\n- None'],
    ['an edit that does not', [message('One'), edit('Two')], 'One\n\n*Edited:* Two'],
    ['text behind an edit', [message('One'), edit('No'), chunk(', yes', 2)], 'One\n\n*Edited:* No\n\n, yes'],
    ['a final text with more', [chunk('One'), message('One, two')], 'One, two'],
    ['a final text that is trimmed', [chunk('One'), chunk(' \n', 3), message('One')], 'One \n'],
    ['a final text with other spaces', [chunk('One\n'), chunk('two', 4), message('One two')], 'One\ntwo'],
    ['a final text that is another', [chunk('A draft'), message('Final')], 'A draft\n\nFinal'],
    ['a final text that only begins so', [chunk('Finally'), message('Final')], 'Finally\n\nFinal'],
  ];

  test.each(cases)('P-OA-5 %s', (_, frames, expected) => {
    expect(content(down(frames).events)).toBe(expected);
  });
});

describe('what a session is told besides', () => {
  test('P-OA-8 a stream that cannot be resumed says so', () => {
    const { events } = down([{ type: 'reset', reason: 'unknown', epoch: 'e', seq: 1 }]);
    expect(events).toMatchObject([{ error: { type: 'invalid_request_error', code: 'not_found' } }, '[DONE]']);
  });

  test('P-WS-12 an expired token ends the stream', () => {
    const error = { type: 'error', code: 'token_expired', message: 'expired', retryable: true } as const;
    const { events } = down([error]);
    expect(events).toMatchObject([{ error: { message: 'expired', code: 'token_expired' } }, '[DONE]']);
  });
});

describe('P-BR-3 usage', () => {
  const cases: [object, number, number, number][] = [
    [{}, 0, 0, 0],
    [{ input_tokens: 1, output_tokens: 2 }, 1, 2, 3],
    [{ prompt_tokens: 1, completion_tokens: 2, total_tokens: 4 }, 1, 2, 4],
    [{ prompt_tokens: '1', completion_tokens: null }, 0, 0, 0],
  ];
  test.each(cases)('P-BR-3 %j', (usage, prompt_tokens, completion_tokens, total_tokens) => {
    expect(openaiUsage({ ...usage })).toEqual({ prompt_tokens, completion_tokens, total_tokens });
  });
});

import { describe, expect, test } from 'vitest';
import { contentOf, openaiWhole, wholeDown } from '../../../src/dialects/openai-whole.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, edit, file, message, prompt, START, turn } from './frames.ts';

const whole = (...frames: ServerFrame[]) => frames.reduce(wholeDown, openaiWhole(START));
const buttons = [{ label: 'OK', custom_id: 'ok' }];
const LINK = '![a.png](https://example.org/a.png)';

describe('P-OA-2 stream: false', () => {
  const cases: [string, ServerFrame[], string][] = [
    ['text that was streamed', [chunk('Hel'), chunk('lo', 3)], 'Hello'],
    ['text that came again', [chunk('Hello'), chunk('Hel', 0), chunk('lo', 3)], 'Hello'],
    ['a final text, whatever was streamed', [chunk('A draft'), message('Final')], 'Final'],
    ['a reply that was edited', [message('One', { buttons }), edit('Two')], 'Two\n\n- OK'],
    [
      'a reply whose buttons were taken away',
      [message('One', { buttons }), edit('Two', { buttons: [] })],
      'Two',
    ],
    ['another message that was edited', [message('One', { id: 'm' }), edit('Two', { id: 'm' })], 'Two'],
    ['a file and a question', [message('See'), file(), prompt()], `See\n\n${LINK}\n\nWhich?\n\n- a\n- b`],
    ['a file that came first', [file(), chunk('See')], `See\n\n${LINK}`],
    ['a question that is told again', [prompt(), prompt({ snapshot: true })], 'Which?\n\n- a\n- b'],
    ['nothing', [], ''],
  ];
  test.each(cases)('P-OA-5 gives %s', (_, frames, content) => {
    expect(contentOf(whole(...frames))).toBe(content);
  });

  test('P-OA-3 keeps reasoning apart', () => {
    const { reasoning, text } = whole(
      chunk('Hm.', 0, 'reasoning'),
      chunk('Yes'),
      message('Yes', { reasoning: 'Hm.' }),
    );
    expect({ reasoning, text }).toEqual({ reasoning: 'Hm.', text: 'Yes' });
  });

  test('P-OA-2 is over with its turn, and only with that', () => {
    expect(whole(turn('running'), turn('completed', { turn: 'req_2' })).end).toBeUndefined();
    expect(whole(turn('completed', { usage: { input_tokens: 1 } })).end).toEqual({
      finish_reason: 'stop',
      usage: { input_tokens: 1 },
    });
  });

  test('P-OA-4 tells why a turn failed, or that the token expired', () => {
    const error = { label: '', type: 'upstream_http', message: 'Broken.', hint: '' };
    expect(whole(chunk('So'), turn('failed', { error })).end?.error).toEqual({
      message: 'Broken.',
      type: 'upstream_http',
      code: 'upstream_http',
    });
    const expired = { type: 'error', code: 'token_expired', message: 'expired', retryable: true } as const;
    expect(whole(expired).end?.error?.code).toBe('token_expired');
  });
});

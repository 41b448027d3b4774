import { describe, expect, test } from 'vitest';
import { bisheng } from '../../../src/dialects/bisheng/bisheng.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import {
  ask,
  brief,
  chunk,
  FLOW,
  HERE,
  openAssistant,
  refusal,
  reply,
  said,
  thought,
  tool,
  turn,
} from './bisheng.ts';
import { refusalOf, Transcript } from './transcript.ts';

describe('P-DI-2 the frame', () => {
  test('has all of its fields, whatever it says', () => {
    const [begin] = openAssistant().down(turn('queued'));
    expect(begin).toEqual({
      ...{ is_bot: true, message: '', type: 'begin', category: 'processing', intermediate_steps: '' },
      ...{ files: [], user_id: 'ada', message_id: null, source: 0, sender: null, receiver: null, liked: 0 },
      ...{ extra: '{"turn":"t1"}', flow_id: FLOW, chat_id: HERE, citations: [], citation_registry_items: [] },
    });
  });

  test('a piece of a reply: what is said, or what is thought', () => {
    const page = openAssistant();
    expect(page.down(turn('queued'), thought('Hm'), chunk('Hi')).slice(2)).toMatchObject([
      { type: 'stream', category: 'processing', message: { content: '', reasoning_content: 'Hm' } },
      { type: 'stream', category: 'processing', message: { content: 'Hi', reasoning_content: '' } },
    ]);
  });
});

describe('P-DI-1 the door', () => {
  test.each([
    ['assistant_id', 'assistant'],
    ['workflow_id', 'workflow'],
    ['flow_id', 'flow'],
  ])('%s: what is asked is for the upstream of %s', (name, work_type) => {
    const page = new Transcript(bisheng, { [name]: FLOW }, { chat_id: HERE, version_id: '3', t: 'ignored' });
    expect(page.up(ask('hi', { name: 'Helper', description: 'helps' })).commands).toEqual([
      {
        ...{ type: 'message', client_id: 'id1', text: 'hi', conversation: HERE },
        extra: { work_type, flow_id: FLOW, version_id: '3', name: 'Helper', description: 'helps' },
      },
    ]);
  });

  test.each<[ErrorCode, string]>([
    ['unauthorized', 'Unauthorized'],
    ['token_expired', 'Unauthorized'],
    ['forbidden', 'No permission to use this app'],
  ])('%s: an error, and 1008 "%s"', (code, reason) => {
    const { frames, close } = bisheng.denied({ code, message: 'no', retryable: false });
    expect(brief(frames)).toEqual(['system/start', 'error/end 10499 no']);
    expect(close).toEqual({ code: 1008, reason });
  });

  test('a chat is named by a short text', () => {
    expect(refusalOf(() => openAssistant('x'.repeat(129)))).toContain('more than 128 characters');
  });
});

describe('P-DI-2 up', () => {
  test('a frame may be JSON inside of JSON', () => {
    const inner = JSON.stringify(ask('hi'));
    expect(openAssistant().up(JSON.stringify(inner)).commands).toMatchObject([{ text: 'hi' }]);
  });

  test.each([['ping'], ['"ping"'], ['{"action":"ping"}'], ['{"message":"ping"}']])('%s: pong', (frame) => {
    const { commands, frames } = openAssistant().up(frame);
    expect(commands).toEqual([]);
    expect(frames).toMatchObject([{ is_bot: false, type: 'human', message: 'pong' }]);
  });

  test('what else a skill was given goes along', () => {
    const inputs = { question: 'why?', id: 'node-1', data: { id: 'x' } };
    expect(openAssistant().up({ inputs }).commands).toMatchObject([
      { text: 'why?', extra: { inputs: { id: 'node-1' }, data: { id: 'x' } } },
    ]);
  });

  test.each([
    ['the frame is not JSON', 'no JSON'],
    ['the frame is wrong', '42'],
    ['"inputs" is missing', {}],
    ['"inputs.input" is missing', { inputs: {} }],
    ['"action" must be', { action: 'dance' }],
    ['"data" is wrong', { action: 'input', data: 1 }],
    ['"user_id"', { ...ask('hi'), user_id: {} }],
    ['more than 128 characters', ask('hi', { chat_id: 'x'.repeat(129) })],
  ])('%s: refused', (message, frame) => {
    expect(openAssistant().refusal((page) => page.up(frame))).toContain(message);
  });

  test('P-ID-1 a user id that is claimed must be the token’s', () => {
    expect(openAssistant().up(ask('hi', { user_id: 'ada' })).commands).toHaveLength(1);
    expect(openAssistant().refusal((page) => page.up(ask('hi', { user_id: 7 })))).toBe(
      'the token belongs to somebody else',
    );
  });
});

describe('P-DI-2 the order of a reply', () => {
  test('begin, a row for each call of the model, tools in between, the answer covers, close', () => {
    const page = openAssistant();
    page.up(ask('hi'));
    const frames = page.down(
      ...[said('id1'), turn('queued'), turn('running'), thought('Hm'), chunk('Let me '), chunk('see. ', 7)],
      ...[tool('running', { args: { q: 'x' } }), tool('completed', { result: [1] }), chunk('Found.', 12)],
      ...[reply('Let me see. Found.'), turn('completed')],
    );
    expect(brief(frames)).toEqual([
      'processing/begin',
      'processing/start',
      'processing/stream (Hm)',
      'processing/stream Let me ',
      'processing/stream see. ',
      'processing/end',
      'tool/start search',
      'tool/end search',
      'processing/start',
      'processing/stream Found.',
      'processing/end',
      'answer/start',
      'answer/end_cover Let me see. Found. #m1',
      'processing/close',
    ]);
    expect(frames[6]).toMatchObject({
      extra: '{"run_id":"call1","turn":"t1"}',
      message: { tool_key: 'search', input: { q: 'x' } },
    });
    expect(frames[7]).toMatchObject({
      extra: '{"run_id":"call1","turn":"t1"}',
      message: { tool_key: 'search', output: [1] },
    });
  });

  test('what was not streamed is an answer that covers nothing, its reasoning before it', () => {
    const page = openAssistant();
    expect(
      brief(page.down(turn('queued'), reply('Hello', 1, { reasoning: 'Hm' }), turn('completed'))),
    ).toEqual([
      'processing/begin',
      'reasoning_answer/end Hm',
      'answer/start',
      'answer/end Hello #m1',
      'processing/close',
    ]);
  });

  test('the last word is the final one, whatever was streamed', () => {
    const page = openAssistant();
    const frames = page.down(turn('queued'), chunk('draft'), reply('Hello'), turn('completed'));
    expect(brief(frames).slice(-3)).toEqual([
      'answer/start',
      'answer/end_cover Hello #m1',
      'processing/close',
    ]);
  });

  test('a reply that came whole and goes on is told from its beginning, then streamed', () => {
    const page = openAssistant();
    expect(brief(page.down(turn('queued'), reply('One. ')))).toEqual(['processing/begin']);
    expect(brief(page.down(chunk('Two.', 5), chunk(' Three.', 9)))).toEqual([
      'processing/begin',
      'processing/start',
      'processing/stream One. Two.',
      'processing/stream  Three.',
    ]);
  });

  test('tools are of three kinds; one that is still running ends with its reply', () => {
    const page = openAssistant();
    const frames = page.down(
      ...[turn('queued'), tool('completed', { name: 'flow_7' })],
      ...[tool('failed', { tool: 'call2', name: 'knowledge_3' }), tool('running', { tool: 'call3' })],
      turn('completed'),
    );
    expect(brief(frames)).toEqual([
      ...['processing/begin', 'flow/start flow_7', 'flow/end flow_7'],
      ...['knowledge/start knowledge_3', 'knowledge/end knowledge_3', 'tool/start search', 'tool/end'],
      'processing/close',
    ]);
  });

  test.each([
    ['failed', { type: 'upstream_not_configured', message: 'Nothing is there.' }, '10421 Nothing is there.'],
    ['failed', { type: 'upstream_http', message: 'It broke.' }, '10499 It broke.'],
    ['expired', { type: 'upstream_silent', message: 'Silence.' }, '10499 Silence.'],
  ] as const)('%s: what there was, the error, close; %o', (status, fields, words) => {
    const page = openAssistant();
    const error = { label: 'Oops', hint: 'Again.', ...fields };
    const frames = page.down(turn('queued'), chunk('half'), reply('half'), turn(status, 1, { error }));
    expect(brief(frames).slice(3)).toEqual([
      ...['processing/end', 'answer/start', 'answer/end_cover half #m1', 'system/start'],
      ...[`error/end ${words}`, 'processing/close'],
    ]);
    expect(frames.at(-2)).toMatchObject({
      message: { data: { exception: fields.message, type: fields.type, hint: 'Again.', status } },
    });
  });

  test('an error before a word was said has no answer', () => {
    const frames = openAssistant().down(turn('queued'), turn('failed'));
    expect(brief(frames)).toEqual([
      'processing/begin',
      'system/start',
      'error/end 10499 No answer',
      'processing/close',
    ]);
  });
});

describe('P-WS-11 stop', () => {
  test('cancels what is open in this chat; its reasoning and its text are told as they are', () => {
    const page = openAssistant();
    page.down(
      turn('running'),
      turn('running', 9, { conversation: 'elsewhere' }),
      thought('Hm'),
      chunk('so f'),
    );
    expect(page.up({ action: 'stop' })).toEqual({ commands: [{ type: 'cancel', turn: 't1' }], frames: [] });
    expect(brief(page.down(reply('so f'), turn('cancelled')))).toEqual([
      ...['processing/end', 'reasoning_answer/end Hm', 'answer/start', 'answer/end so f #m1'],
      'processing/close',
    ]);
  });

  test('stops a message of which nothing has been heard yet', () => {
    const page = openAssistant();
    page.up(ask('hi'));
    expect(page.up({ action: 'stop' })).toEqual({ commands: [], frames: [] });
    expect(page.commandsOf(said('id1'))).toEqual([{ type: 'cancel', turn: 't1' }]);
  });

  test('where nothing is open, nothing is processed', () => {
    expect(brief(openAssistant().up({ action: 'stop' }).frames)).toEqual(['processing/close']);
  });

  test('a reply that has just ended is no error', () => {
    const page = openAssistant();
    expect(page.down(refusal({ code: 'turn_finished', message: 'it is completed' }))).toEqual([]);
  });
});

describe('P-WS-13 errors keep the socket open', () => {
  test('while nothing is open, processing is closed', () => {
    const page = openAssistant();
    page.up(ask('hi'));
    expect(brief(page.down(refusal({ client_id: 'id1' })))).toEqual([
      'system/start',
      'error/end 10499 too many messages',
      'processing/close',
    ]);
  });

  test('a reply that is on its way goes on', () => {
    const page = openAssistant();
    page.down(turn('queued'), chunk('so '));
    expect(brief(page.down(refusal(), chunk('far', 3)))).toEqual([
      'system/start',
      'error/end 10499 too many messages',
      'processing/stream far',
    ]);
  });
});

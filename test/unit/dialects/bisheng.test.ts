import { describe, expect, test } from 'vitest';
import { bisheng } from '../../../src/dialects/bisheng/bisheng.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import {
  brief,
  chunk,
  closed,
  FLOW,
  file,
  HERE,
  openAssistant,
  prompt,
  ready,
  refusal,
  reply,
  said,
  thought,
  tool,
  turn,
} from './bisheng.ts';
import { refusalOf, Transcript } from './transcript.ts';

const ask = (input: string, fields: object = {}) => ({ inputs: { input }, chat_id: HERE, ...fields });

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

describe('P-DI-3 what happens elsewhere', () => {
  test('what the user says in another tab is a question of theirs; what they said here is not repeated', () => {
    const page = openAssistant();
    page.up(ask('hi'));
    expect(page.down(said('id1'))).toEqual([]);
    expect(page.down(said('other', 2))).toMatchObject([
      { is_bot: false, category: 'question', type: 'human', message: 'hi', message_id: 'u2' },
    ]);
  });

  test('what the bot says of itself, and files, are answers; a streamed row is ended before', () => {
    const page = openAssistant();
    const buttons = [{ label: 'Yes', custom_id: 'y' }];
    const frames = page.down(
      ...[turn('queued'), chunk('One'), reply('By the way', 5, { turn: 'none', buttons }), file],
      chunk(' two', 3),
    );
    expect(brief(frames)).toEqual([
      ...['processing/begin', 'processing/start', 'processing/stream One', 'processing/end', 'answer/start'],
      ...['answer/end By the way\n\n- Yes #m5', 'answer/start'],
      ...['answer/end [a.pdf](https://example.org/a.pdf) #f1', 'processing/start', 'processing/stream  two'],
    ]);
    expect(frames[7]).toMatchObject({
      files: [{ file_id: 'f1', file_name: 'a.pdf', file_url: 'https://example.org/a.pdf', file_size: 7 }],
    });
  });

  test('an edit covers the answer that has its id', () => {
    const edit = {
      type: 'edit',
      seq: 2,
      id: 'm1',
      conversation: HERE,
      text: 'Better',
      timestamp: 2,
    } as const;
    expect(brief(openAssistant().down(edit))).toEqual(['answer/end_cover Better #m1']);
  });

  test('a chat that is not shown is not heard', () => {
    const there = { conversation: 'elsewhere' };
    const frames = openAssistant().down(
      ...[said('x', 1, there), turn('queued', 1, there), chunk('a', 0, 1, there)],
      ...[
        reply('a', 1, there),
        turn('completed', 1, there),
        { ...file, ...there },
        prompt({ ...there, turn: 'x' }),
      ],
    );
    expect(frames).toEqual([]);
  });
});

describe('P-WS-15 one reply at a time, since frames do not say of which reply they are', () => {
  test('a second reply waits, and is told from its beginning', () => {
    const page = openAssistant();
    const first = page.down(turn('queued', 1), chunk('A', 0, 1), turn('queued', 2), chunk('B', 0, 2));
    expect(brief(first)).toEqual(['processing/begin', 'processing/start', 'processing/stream A']);
    expect(brief(page.down(chunk('B', 1, 2), reply('A', 1), turn('completed', 1)))).toEqual([
      ...['processing/end', 'answer/start', 'answer/end_cover A #m1', 'processing/close'],
      ...['processing/begin', 'processing/start', 'processing/stream BB'],
    ]);
  });

  test('one that ended while it waited is told at once', () => {
    const page = openAssistant();
    page.down(turn('queued', 1), turn('queued', 2), reply('B', 2), turn('completed', 2));
    expect(brief(page.down(reply('A', 1), turn('completed', 1)))).toEqual([
      ...['answer/start', 'answer/end A #m1', 'processing/close'],
      ...['processing/begin', 'answer/start', 'answer/end B #m2', 'processing/close'],
    ]);
  });
});

describe('switching sessions', () => {
  const there = { conversation: 'chat-2' };
  const go = (id: string, chatId: string) => ({ inputs: { data: { id, chatId } } });

  test('the other chat is shown, with what is open in it from its beginning; and back', () => {
    const page = openAssistant();
    page.down(turn('queued'), chunk('One'), turn('queued', 2, there), chunk('Two', 0, 2, there));
    const { commands, frames } = page.up(go('flow-2', 'chat-2'));
    expect(commands).toEqual([]);
    expect(brief(frames)).toEqual(['processing/begin', 'processing/start', 'processing/stream Two']);
    expect(frames[0]).toMatchObject({ chat_id: 'chat-2', flow_id: 'flow-2' });
    expect(page.down(chunk(' more', 3))).toEqual([]);
    expect(brief(page.up(go(FLOW, HERE)).frames)).toEqual([
      ...['processing/begin', 'processing/start', 'processing/stream One more'],
    ]);
  });

  test('where nothing is open, nothing is processed', () => {
    const page = openAssistant();
    page.down(turn('queued'), chunk('One'));
    const { frames } = page.up(go('flow-2', 'chat-2'));
    expect(brief(frames)).toEqual(['processing/close']);
    expect(frames[0]).toMatchObject({ chat_id: 'chat-2' });
  });

  test('a message that names another chat goes there, and is shown there', () => {
    const page = openAssistant();
    expect(page.up(ask('hi', { chat_id: 'chat-2', flow_id: 'flow-2' })).commands).toMatchObject([
      { conversation: 'chat-2', extra: { flow_id: 'flow-2' } },
    ]);
    expect(brief(page.down(said('id1', 1, there), turn('queued', 1, there)))).toEqual(['processing/begin']);
  });
});

describe('without a chat', () => {
  test('each socket has a conversation of its own, and what is open ends with it', () => {
    const page = openAssistant('');
    expect(page.down(turn('queued'))).toEqual([]);
    expect(page.up({ inputs: { input: 'hi' } }).commands).toMatchObject([{ conversation: 'trial-id1' }]);
    expect(page.up({ inputs: { input: 'more' } }).commands).toMatchObject([{ conversation: 'trial-id1' }]);
    const here = { conversation: 'trial-id1' };
    expect(brief(page.down(said('id1', 1, here), turn('queued', 2, here)))).toEqual(['processing/begin']);
    expect(page.left(1000)).toEqual([{ type: 'cancel', turn: 't2' }]);
  });

  test('with one, what is open goes on', () => {
    const page = openAssistant();
    page.down(turn('queued'));
    expect(page.left(1000)).toEqual([]);
  });
});

describe('P-WS-10 questions', () => {
  test('a question ends the processing, so that the user may write; what fits is the answer', () => {
    const page = openAssistant();
    const asked = page.down(turn('queued'), chunk('Well. '), prompt());
    expect(brief(asked).slice(3)).toEqual([
      ...['processing/end', 'answer/start', 'answer/end Which?\n\n- red\n- Blue #p1', 'processing/close'],
    ]);
    expect(page.up(ask('blue')).commands).toEqual([
      { type: 'answer', client_id: 'id1', prompt: 'p1', value: 'b' },
    ]);
    expect(brief(page.down(closed(), chunk('Blue.', 6), reply('Well. Blue.'), turn('completed')))).toEqual([
      ...[
        'processing/begin',
        'processing/start',
        'processing/stream Blue.',
        'processing/end',
        'answer/start',
      ],
      ...['answer/end_cover Well. Blue. #m1', 'processing/close'],
    ]);
  });

  test('what does not fit is a message, and its reply does not wait for the answer', () => {
    const page = openAssistant();
    page.down(turn('queued'), prompt());
    expect(page.up(ask('never mind')).commands).toMatchObject([{ type: 'message' }]);
    const second = page.down(said('id1', 2), turn('queued', 2), chunk('Fine', 0, 2), closed());
    expect(brief(second)).toEqual(['processing/begin', 'processing/start', 'processing/stream Fine']);
    expect(brief(page.down(reply('Fine', 2), turn('completed', 2)))).toEqual([
      ...['processing/end', 'answer/start', 'answer/end_cover Fine #m2', 'processing/close'],
      'processing/begin',
    ]);
  });

  test('one that nobody answered in time: 10527', () => {
    const page = openAssistant();
    page.down(turn('queued'), prompt());
    expect(brief(page.down(closed('expired')))).toEqual([
      ...['system/start', 'error/end 10527 The question was not answered in time.', 'processing/begin'],
    ]);
  });

  test('one without a reply is asked, and asked once', () => {
    const page = openAssistant();
    const alone = prompt({ turn: undefined, kind: 'text', choices: undefined });
    expect(brief(page.down(alone, { ...alone, snapshot: true }))).toEqual([
      'answer/start',
      'answer/end Which? #p1',
    ]);
    expect(page.up(ask('anything')).commands).toMatchObject([{ type: 'answer', value: 'anything' }]);
  });
});

describe('P-WS-8 a connection', () => {
  test('begins with what is open, from its beginning, and says of which turn it is', () => {
    const page = openAssistant();
    const frames = page.down(turn('running', 1, { snapshot: true }), chunk('so far'), ready, chunk('!', 6));
    expect(brief(frames)).toEqual([
      ...['processing/begin', 'processing/start', 'processing/stream so far', 'processing/stream !'],
    ]);
    for (const frame of frames) expect(frame).toMatchObject({ extra: '{"turn":"t1"}' });
  });

  test('text that was shown and is not true any more: the reply begins again', () => {
    const page = openAssistant();
    page.down(turn('running'), chunk('One two'));
    expect(
      brief(page.down(turn('running', 1, { snapshot: true }), chunk('One', 0), chunk(' too', 3))),
    ).toEqual([
      ...['processing/begin', 'processing/start', 'processing/stream One', 'processing/stream  too'],
    ]);
  });

  test('what a reset may have ended unheard is told as interrupted; what is still open goes on', () => {
    const page = openAssistant();
    page.down(turn('running', 1), chunk('lost'), turn('running', 2));
    const frames = page.down(
      { type: 'reset', reason: 'retention', epoch: 'e', seq: 9 },
      ...[turn('running', 2, { snapshot: true }), chunk('kept', 0, 2), ready],
    );
    expect(brief(frames)).toEqual([
      ...['processing/end', 'answer/start', 'answer/end_cover lost #m1', 'system/start'],
      'error/end 10499 The connection was interrupted. Please open the chat again.',
      ...['processing/close', 'processing/begin', 'processing/start', 'processing/stream kept'],
    ]);
  });

  test('what ended before it is told by its message alone', () => {
    const page = openAssistant();
    expect(brief(page.down(reply('Hello'), turn('completed')))).toEqual([
      'answer/start',
      'answer/end Hello #m1',
    ]);
  });
});

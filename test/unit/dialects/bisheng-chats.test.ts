import { describe, expect, test } from 'vitest';
import {
  ask,
  brief,
  chunk,
  closed,
  edit,
  FLOW,
  file,
  HERE,
  openAssistant,
  prompt,
  ready,
  reply,
  said,
  turn,
} from './bisheng.ts';

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
    expect(brief(openAssistant().down(edit('Better')))).toEqual(['answer/end_cover Better #m1']);
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

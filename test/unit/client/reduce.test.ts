import { describe, expect, it } from 'vitest';
import {
  type ChatState,
  EMPTY_STATE,
  type Item,
  type LocalInput,
  reduce,
} from '../../../src/client/index.ts';
import type { FileFrame, ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, edit, message, own, prompt, tool, turn } from './frames.ts';
import { welcome } from './harness.ts';

function play(...inputs: (ServerFrame | LocalInput)[]): ChatState {
  return inputs.reduce(reduce, reduce(EMPTY_STATE, welcome(0)));
}

function conversation(state: ChatState) {
  const found = state.conversations.get('default');
  if (!found) throw new Error('no conversation');
  return found;
}

const items = (state: ChatState): readonly Item[] => state.conversations.get('default')?.items ?? [];
const texts = (state: ChatState): string[] =>
  items(state).map((item) => (item.kind === 'message' ? item.text : item.id));

function only(state: ChatState) {
  const [item] = items(state);
  if (items(state).length !== 1 || item?.kind !== 'message') throw new Error('not one message');
  return item;
}

const sending: LocalInput = {
  type: 'local.message',
  send: { type: 'message', client_id: 'c1', text: 'Hi' },
  at: 1,
  files: [],
};
const file: FileFrame = {
  type: 'file',
  seq: 1,
  id: 'f1',
  conversation: 'default',
  sender: 'star',
  filename: 'a.png',
  mimetype: 'image/png',
  size: 3,
  timestamp: 1,
  url: '/files/f1/a.png',
  data: 'AAAA',
};

describe('replies', () => {
  it('P-WS-7 a draft grows by offset and the final message takes its place', () => {
    const streaming = play(turn(1, 'queued'), turn(2, 'running'), chunk(0, 'Hel'), chunk(3, 'lo'));
    expect(only(streaming)).toMatchObject({ id: 'r1', text: 'Hello', status: 'running', seq: 0 });
    const done = [
      message(3, 'r1', 'Hello!', { turn: 't1' }),
      turn(4, 'completed', { usage: { output_tokens: 2 } }),
    ].reduce(reduce, streaming);
    expect(only(done)).toMatchObject({
      id: 'r1',
      text: 'Hello!',
      status: 'completed',
      usage: { output_tokens: 2 },
    });
    expect(only(done).key).toBe(only(streaming).key);
    expect(conversation(done).open.size).toBe(0);
  });

  it('P-WS-8 offset 0 repairs a text that is longer than it should be', () => {
    expect(only(play(turn(1, 'running'), chunk(0, 'Hello wrong'), chunk(0, 'Hello'))).text).toBe('Hello');
  });

  it('P-WS-6 reasoning has offsets of its own and survives a final message without it', () => {
    const state = play(
      turn(1, 'running'),
      chunk(0, 'Let me think', { kind: 'reasoning' }),
      chunk(0, 'Yes'),
      message(2, 'r1', 'Yes.'),
    );
    expect(only(state)).toMatchObject({ text: 'Yes.', reasoning: 'Let me think' });
  });

  it('P-WS-7 a failed turn keeps its partial text and says why', () => {
    const error = { label: 'Overloaded', type: 'upstream_http', message: 'try later', hint: 'wait' };
    const state = play(
      turn(1, 'running'),
      chunk(0, 'Hal'),
      message(2, 'r1', 'Hal', { partial: true, turn: 't1' }),
      turn(3, 'failed', { error }),
    );
    expect(only(state)).toMatchObject({ text: 'Hal', status: 'failed', failure: error });
  });

  it('P-WS-11 a cancelled turn without text still shows that it was stopped', () => {
    expect(only(play(turn(1, 'queued'), turn(2, 'cancelled')))).toMatchObject({
      status: 'cancelled',
      text: '',
      seq: 2,
    });
  });

  it('a completed turn without text leaves no empty message behind', () => {
    expect(
      items(play(turn(1, 'queued'), { ...file, seq: 2, turn: 't1' }, turn(3, 'completed'))).map(
        ({ id }) => id,
      ),
    ).toEqual(['f1']);
  });

  it('stands under its question, even where the next question came meanwhile', () => {
    const state = play(
      own(1, 'm1', 'one?', { turn: 't1' }),
      turn(2, 'running'),
      own(3, 'm2', 'two?', { turn: 't2' }),
      turn(4, 'queued', { turn: 't2', message: 'r2' }),
      message(5, 'r1', 'one!', { turn: 't1' }),
      chunk(0, 'two!', { turn: 't2', message: 'r2' }),
    );
    expect(texts(state)).toEqual(['one?', 'one!', 'two?', 'two!']);
  });

  it('a reply that came whole goes on by chunks until its turn ends', () => {
    const whole = play(turn(1, 'queued'), turn(2, 'running'), message(3, 'r1', 'Whole', { turn: 't1' }));
    expect(only(whole)).toMatchObject({ text: 'Whole', status: 'running' });
    const done = [chunk(5, ' and more'), turn(4, 'completed')].reduce(reduce, whole);
    expect(only(done)).toMatchObject({ text: 'Whole and more', status: 'completed' });
  });

  it('another message of the turn stands for itself, before the reply as in the journal', () => {
    const open = play(
      own(1, 'm1', '?', { turn: 't1' }),
      turn(2, 'running'),
      chunk(0, 'Rep'),
      message(3, 'x', 'aside', { turn: 't1' }),
    );
    expect(texts(open)).toEqual(['?', 'aside', 'Rep']);
    const done = [message(4, 'r1', 'Reply', { turn: 't1' }), turn(5, 'completed')].reduce(reduce, open);
    expect(texts(done)).toEqual(['?', 'aside', 'Reply']);
    expect(
      texts(play(turn(1, 'running'), message(2, 'x', 'aside', { turn: 't1' }), turn(3, 'completed'))),
    ).toEqual(['aside']);
  });

  it('a reply that replaces another takes its place', () => {
    const state = play(
      message(1, 'r0', 'old'),
      message(2, 'x', 'after'),
      turn(3, 'running'),
      chunk(0, 'ne'),
      message(4, 'r1', 'new', { replaces: 'r0' }),
    );
    expect(texts(state)).toEqual(['new', 'after']);
  });
});

describe('what belongs to a reply', () => {
  it('P-WS-7 tools are placed by offset, keep it, and take later frames in', () => {
    const state = play(
      turn(1, 'running'),
      chunk(0, 'Look: '),
      tool(2, 'running', { offset: 6, args: { q: 'x' } }),
      chunk(6, 'found'),
      tool(3, 'completed', { offset: 11, result: 'y' }),
    );
    const [insert] = only(state).inserts;
    expect(only(state).inserts).toHaveLength(1);
    expect(insert).toMatchObject({
      kind: 'tool',
      offset: 6,
      frame: { status: 'completed', args: { q: 'x' }, result: 'y' },
    });
  });

  it('P-WS-10 a prompt of a turn stands where its text was, and closes with its answer', () => {
    const open = play(
      turn(1, 'running'),
      chunk(0, 'One question.'),
      prompt(2, 'p1', { turn: 't1' }),
      chunk(13, ' Thanks'),
    );
    expect(only(open).inserts[0]).toMatchObject({ kind: 'prompt', id: 'p1', offset: 13 });
    const waiting = reduce(open, { type: 'local.answer', client_id: 'c1', prompt: 'p1', value: 'because' });
    expect(only(waiting).inserts[0]).toMatchObject({ answering: { value: 'because' } });
    const closed = reduce(waiting, {
      type: 'prompt_closed',
      seq: 3,
      prompt: 'p1',
      reason: 'answered',
      value: 'because',
    });
    expect(only(closed).inserts[0]).toMatchObject({ closed: { reason: 'answered', value: 'because' } });
    expect(only(closed).inserts[0]).not.toHaveProperty('answering');
  });

  it('P-WS-10 a snapshot of a prompt that is known changes nothing twice', () => {
    const state = play(prompt(1, 'p1'), prompt(1, 'p1', { snapshot: true }));
    expect(items(state)).toHaveLength(1);
  });

  it('edits replace text and buttons, and keep buttons they do not name', () => {
    const buttons = [{ label: 'A', custom_id: 'a' }];
    const shown = play(message(1, 'm1', 'old', { buttons }), edit(2, 'm1', 'new'));
    expect(only(shown)).toMatchObject({ text: 'new', edited: true, buttons });
    expect(only(reduce(shown, edit(3, 'm1', 'newer', { buttons: [] }))).buttons).toEqual([]);
  });

  it('P-WS-5 a press is pending, then pressed; a refused one is free again', () => {
    const shown = play(message(1, 'm1', 'pick', { buttons: [{ label: 'A', custom_id: 'a' }] }));
    const pending = reduce(shown, { type: 'local.press', client_id: 'c1', message: 'm1', custom_id: 'a' });
    expect(conversation(pending).pressed.get('m1')?.get('a')).toBe('c1');
    const pressed = reduce(pending, own(2, 'm2', 'A', { reply_to: 'm1', custom_id: 'a', client_id: 'c1' }));
    expect(conversation(pressed).pressed.get('m1')?.get('a')).toBe(true);
    const free = reduce(pending, {
      type: 'local.refused',
      client_id: 'c1',
      error: { code: 'not_found', message: '' },
    });
    expect(conversation(free).pressed.get('m1')?.has('a')).toBe(false);
    const other = reduce(pending, {
      type: 'local.refused',
      client_id: 'c1',
      error: { code: 'already_answered', message: '' },
    });
    expect(conversation(other).pressed.get('m1')?.get('a')).toBe(true);
  });

  it('does not carry the bytes of files around', () => {
    expect(items(play(file))[0]).not.toHaveProperty('frame.data');
  });
});

describe('own messages', () => {
  it('P-WS-5 are shown at once and keep their key through ack and message', () => {
    const shown = play(sending);
    expect(only(shown)).toMatchObject({ status: 'sending', text: 'Hi' });
    const acked = reduce(shown, {
      type: 'ack',
      client_id: 'c1',
      id: 'm1',
      seq: 4,
      conversation: 'default',
      turn: 't1',
      duplicate: false,
    });
    expect(only(acked)).toMatchObject({ id: 'm1', status: 'sent', turn: 't1' });
    const done = reduce(acked, own(4, 'm1', 'Hi', { client_id: 'c1', turn: 't1' }));
    expect(only(done)).toMatchObject({ id: 'm1', key: 'c1', status: 'sent', seq: 4 });
  });

  it('P-WS-8 a replayed message settles one whose ack was lost', () => {
    expect(only(play(sending, own(4, 'm1', 'Hi', { client_id: 'c1' })))).toMatchObject({
      id: 'm1',
      key: 'c1',
      status: 'sent',
    });
  });

  it('stay last while unsent, whatever arrives', () => {
    expect(texts(play(sending, message(1, 'm9', 'news')))).toEqual(['news', 'Hi']);
  });

  it('say why they were refused, and can be tried again or taken back', () => {
    const failed = play(sending, {
      type: 'local.refused',
      client_id: 'c1',
      error: { code: 'too_large', message: 'long' },
    });
    expect(only(failed)).toMatchObject({ status: 'failed', error: { code: 'too_large' } });
    expect(only(reduce(failed, { type: 'local.retry', client_id: 'c1' })).status).toBe('sending');
    expect(items(reduce(failed, { type: 'local.discard', client_id: 'c1' }))).toEqual([]);
  });

  it('found in history by an ack after a reload are not shown twice', () => {
    const state = play(sending, {
      type: 'local.history',
      conversation: 'default',
      older: false,
      page: { messages: [own(4, 'm1', 'Hi', { client_id: 'c1' })], next: null },
    });
    expect(texts(state)).toEqual(['Hi']);
    const acked = reduce(play(sending, own(4, 'm1', 'Hi')), {
      type: 'ack',
      client_id: 'c1',
      id: 'm1',
      seq: 4,
      conversation: 'default',
      duplicate: true,
    });
    expect(texts(acked)).toEqual(['Hi']);
  });
});

describe('history', () => {
  const page = (...messages: ReturnType<typeof message>[]): LocalInput => ({
    type: 'local.history',
    conversation: 'default',
    older: false,
    page: { messages: messages.toReversed(), next: 1 },
  });

  it('merges with what arrived live, newest by seq', () => {
    const state = play(
      message(3, 'm3', 'three'),
      edit(5, 'm2', 'two, edited'),
      page(message(1, 'm1', 'one'), message(2, 'm2', 'two')),
    );
    expect(texts(state)).toEqual(['one', 'two, edited', 'three']);
    expect(conversation(state)).toMatchObject({ loaded: true, before: 1 });
  });

  it('does not undo what is newer than its rows', () => {
    const state = play(message(2, 'm1', 'one'), edit(4, 'm1', 'edited'), page(message(2, 'm1', 'one')));
    expect(texts(state)).toEqual(['edited']);
  });

  it('does not shorten a reply that goes on streaming', () => {
    const state = play(
      turn(1, 'running', { snapshot: true }),
      chunk(0, 'Whole and'),
      page(message(2, 'r1', 'Whole', { turn: 't1' })),
    );
    expect(only(reduce(state, chunk(9, ' more')))).toMatchObject({
      text: 'Whole and more',
      status: 'running',
    });
  });

  it('brings tools and pressed buttons', () => {
    const row = { ...message(3, 'r1', 'See'), tools: [tool(2, 'completed', { offset: 1 })] };
    const state = play(page(row, own(4, 'm2', 'A', { reply_to: 'r1', custom_id: 'a' })));
    expect(items(state)[0]).toMatchObject({ inserts: [{ kind: 'tool', offset: 1 }] });
    expect(conversation(state).pressed.get('r1')?.get('a')).toBe(true);
  });

  it('shows the same order as live: a reply under its question, its files after it', () => {
    const rows = [
      own(1, 'm1', 'file?', { turn: 't1' }),
      { ...file, seq: 2, turn: 't1' },
      message(3, 'r1', 'Here', { turn: 't1' }),
    ];
    const input: LocalInput = {
      type: 'local.history',
      conversation: 'default',
      older: false,
      page: { messages: rows.toReversed(), next: null },
    };
    expect(items(play(input)).map(({ id }) => id)).toEqual(['m1', 'r1', 'f1']);
  });

  it('says how a reply ended where the row does', () => {
    const error = { label: 'L', type: 't', message: 'm', hint: 'h' };
    const row = { ...message(3, 'r1', 'Hal', { partial: true }), status: 'failed' as const, error };
    expect(only(play(page(row)))).toMatchObject({ status: 'failed', failure: error });
  });

  it('puts older pages in front', () => {
    const state = play(page(message(3, 'm3', 'three')), {
      type: 'local.history',
      conversation: 'default',
      older: true,
      page: { messages: [message(1, 'm1', 'one')], next: null },
    });
    expect(texts(state)).toEqual(['one', 'three']);
    expect(conversation(state).before).toBeNull();
  });

  it('P-WS-8 after a reset replaces what is shown, but not drafts, unsent messages and newer events', () => {
    const before = play(
      message(8, 'gone', 'lost in the crash'),
      turn(9, 'running'),
      chunk(0, 'dra'),
      sending,
    );
    const reset = [
      { type: 'reset', reason: 'unknown', epoch: 'e2', seq: 2 } as const,
      turn(2, 'running', { snapshot: true }),
      { type: 'ready', seq: 2 } as const,
      message(3, 'm3', 'new'),
    ].reduce(reduce, before);
    expect(texts(reset)).toEqual(['lost in the crash', 'dra', 'new', 'Hi']);
    expect(texts(reduce(reset, page(message(1, 'm1', 'one'))))).toEqual(['one', 'dra', 'new', 'Hi']);
  });

  it('P-WS-8 a turn that the open state does not name is over', () => {
    const state = play(
      turn(1, 'running'),
      chunk(0, 'dra'),
      prompt(2, 'p1'),
      { type: 'reset', reason: 'ahead', epoch: 'e2', seq: 1 },
      { type: 'ready', seq: 1 },
    );
    expect(conversation(state).open.size).toBe(0);
    expect(items(state)).toMatchObject([{ kind: 'prompt', closed: { reason: 'expired' } }]);
  });
});

describe('the rest of the room', () => {
  it('shows others typing, not oneself, until they have spoken', () => {
    const typing = (sender: string): ServerFrame => ({
      type: 'typing',
      active: true,
      sender,
      conversation: 'default',
    });
    const state = play(typing('star'), typing('ann'));
    expect(conversation(state).typing).toEqual(['star']);
    expect(conversation(reduce(state, message(1, 'm1', 'done'))).typing).toEqual([]);
    expect(conversation(reduce(state, { type: 'local.disconnected' })).typing).toEqual([]);
  });

  it('knows conversations by name until they are deleted', () => {
    const named = play({ type: 'conversation', seq: 1, id: 'k', status: 'created', title: 'K' });
    expect(named.conversations.get('k')?.title).toBe('K');
    expect(
      reduce(named, { type: 'conversation', seq: 2, id: 'k', status: 'deleted' }).conversations.has('k'),
    ).toBe(false);
  });

  it('shares what does not change', () => {
    const before = play(
      message(1, 'm1', 'one'),
      turn(2, 'running'),
      own(3, 'x', 'elsewhere', { conversation: 'k' }),
    );
    const after = reduce(before, chunk(0, 'a'));
    expect(after.conversations.get('k')).toBe(before.conversations.get('k'));
    expect(items(after)[0]).toBe(items(before)[0]);
    expect(reduce(after, { type: 'local.disconnected' })).toBe(after);
  });
});

import { describe, expect, it } from 'vitest';
import { type ChatState, EMPTY_STATE, type LocalInput, reduce } from '../../../src/client/index.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { message, own } from './frames.ts';
import { welcome } from './harness.ts';

const texts = (state: ChatState): string[] =>
  (state.conversations.get('default')?.items ?? []).map((item) =>
    item.kind === 'message' ? item.text : item.id,
  );

const page = (older: boolean, ...messages: ServerFrame[]): LocalInput => ({
  type: 'local.history',
  conversation: 'default',
  page: { messages: messages.filter((one) => one.type === 'message').toReversed(), next: null },
  older,
});

const play = (...inputs: (ServerFrame | LocalInput)[]): ChatState =>
  inputs.reduce(reduce, reduce(EMPTY_STATE, welcome(0)));

describe('replies that were made anew, in history', () => {
  const first = [own(1, 'q1', 'one?'), message(2, 'r1', 'first', { turn: 't1' })];
  const second = [own(3, 'q2', 'two?'), message(4, 'r2', 'second', { turn: 't2' })];
  const anew = message(5, 'r3', 'another first', { turn: 't3', replaces: 'r1' });
  const whole = ['one?', 'another first', 'two?', 'second'];

  it('stand where the one before them stood', () => {
    expect(texts(play(page(false, ...first, ...second, anew)))).toEqual(whole);
  });

  it('move there when the older page arrives, and stay there when it is read again', () => {
    const newest = page(false, ...second, anew);
    const older = page(true, ...first);
    expect(texts(play(newest, older))).toEqual(whole);
    expect(texts(play(newest, older, older))).toEqual(whole);
  });

  it('live and read are the same', () => {
    expect(texts(play(...first, ...second, anew))).toEqual(whole);
    expect(texts(play(...first, ...second, anew, page(false, ...first, ...second, anew)))).toEqual(whole);
  });
});

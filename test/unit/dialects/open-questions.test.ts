import { describe, expect, test } from 'vitest';
import { OpenQuestions } from '../../../src/dialects/open-questions.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { framesIn } from './native-frames.ts';

const native = framesIn('c');
const { ready } = native;
const reset: ServerFrame = { type: 'reset', reason: 'retention', epoch: 'e', seq: 1 };
const prompt = (id: string): ServerFrame => native.prompt({ prompt: id });
const closed = (id: string): ServerFrame => native.closed('cancelled', { prompt: id });

describe('P-WS-10 questions over a reset', () => {
  test('P-WS-10 those that the open state no longer has are closed before ready, the others stay', () => {
    const questions = new OpenQuestions();
    const all = [prompt('a'), prompt('b'), reset, prompt('b'), ready];
    expect(all.flatMap((frame) => questions.pass(frame))).toEqual([...all.slice(0, -1), closed('a'), ready]);
    expect([reset, ready].flatMap((frame) => questions.pass(frame))).toEqual([reset, closed('b'), ready]);
  });

  test('P-WS-10 nothing is added where nothing was open, or it was closed in between', () => {
    const questions = new OpenQuestions();
    const all = [ready, prompt('a'), closed('a'), reset, ready, prompt('b'), ready];
    expect(all.flatMap((frame) => questions.pass(frame))).toEqual(all);
  });
});

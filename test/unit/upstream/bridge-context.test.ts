import { describe, expect, test } from 'vitest';
import type { HistoryRow } from '../../../src/protocol/history.ts';
import { contextOf } from '../../../src/upstream/bridge/context.ts';
import { type Attachment, contentOf } from '../../../src/upstream/bridge/parts.ts';

let seq = 0;
const row = (role: 'user' | 'assistant', text: string, fields: Partial<HistoryRow> = {}): HistoryRow =>
  ({
    ...{ type: 'message', seq: ++seq, conversation: 'default', role, text, timestamp: 0 },
    ...{ id: text, sender: role === 'user' ? 'ada' : 'star' },
    ...fields,
  }) as HistoryRow;

const context = (rows: HistoryRow[], budget = 1_000) =>
  contextOf(rows.toReversed(), 'now', 'now', budget).map(({ role, content }) => `${role}: ${content}`);

describe('P-BR-1 the context', () => {
  test('P-BR-1 is what was said before, oldest first, and the message; nothing that came after it', () => {
    const rows = [row('user', 'hi'), row('assistant', 'hello'), row('user', 'now'), row('user', 'later')];
    expect(context(rows)).toEqual(['user: hi', 'assistant: hello', 'user: now']);
  });

  test('P-BR-1 takes the newest messages that fit, whole', () => {
    const rows = ['a', 'b', 'c'].map((letter) => row('user', letter.repeat(40)));
    expect(context([...rows, row('user', 'now')], 5 + 14 + 14)).toEqual([
      `user: ${'b'.repeat(40)}`,
      `user: ${'c'.repeat(40)}`,
      'user: now',
    ]);
    expect(context([...rows, row('user', 'now')], 5 + 14 + 13)).toEqual([
      `user: ${'c'.repeat(40)}`,
      'user: now',
    ]);
  });

  test('P-BR-1 counts what a text weighs, not its letters', () => {
    const rows = [row('user', '語'.repeat(40)), row('user', 'now')];
    expect(context(rows, 5 + 34)).toHaveLength(2);
    expect(context(rows, 5 + 33)).toHaveLength(1);
  });

  test('P-BR-1 never drops the message itself', () => {
    expect(context([row('user', 'before'), row('user', 'now')], 1)).toEqual(['user: now']);
    expect(context([])).toEqual(['user: now']);
  });

  test('P-BR-1 has edited and broken replies as they stand, and replaced ones not at all', () => {
    const rows = [
      row('assistant', 'edited', { edited_at: 1 }),
      row('assistant', 'broken off', { partial: true, status: 'failed' } as Partial<HistoryRow>),
      row('assistant', 'first try'),
      row('assistant', 'second try', { replaces: 'first try' } as Partial<HistoryRow>),
      row('assistant', ''),
      row('user', 'now'),
    ];
    expect(context(rows)).toEqual([
      'assistant: edited',
      'assistant: broken off',
      'assistant: second try',
      'user: now',
    ]);
  });

  test('P-BR-1 tells the names of files that were sent before', () => {
    const file = { filename: 'a.png', mimetype: 'image/png' };
    const rows = [
      row('user', 'look', {
        attachments: [{ ...file, id: 'f', size: 1, url: 'https://secret' }],
      } as Partial<HistoryRow>),
      row('assistant', '', { type: 'file', ...file, id: 'g' } as Partial<HistoryRow>),
      row('user', 'now'),
    ];
    expect(context(rows)).toEqual([
      'user: look\n[file: a.png (image/png)]',
      'assistant: [file: a.png (image/png)]',
      'user: now',
    ]);
  });
});

describe('the message with its attachments', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const file = (filename: string, mimetype: string, data: Uint8Array | Error = bytes('abc')): Attachment => ({
    ...{ filename, mimetype, size: data instanceof Error ? 3 : data.byteLength },
    data: async () => {
      if (data instanceof Error) throw data;
      return data;
    },
  });
  const note = (name: string, why: string) => ({
    type: 'text',
    text: expect.stringMatching(new RegExp(`"${name}".* is not included: .*${why}`)),
  });

  test('without any it is a text', async () => {
    expect(await contentOf('hi', [])).toBe('hi');
  });

  test('each kind of file becomes its kind of part, in order, behind the text', async () => {
    const parts = await contentOf('look', [
      file('a.png', 'image/png'),
      file('b.wav', 'audio/wav'),
      file('c.mp3', 'audio/mpeg'),
      file('d.pdf', 'application/pdf'),
      file('e.svg', 'image/svg+xml'),
      file('f.txt', 'text/plain; charset=utf-8', bytes('wörld')),
      file('g.heic', 'IMAGE/HEIC'),
    ]);
    expect(parts).toEqual([
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,YWJj' } },
      { type: 'input_audio', input_audio: { data: 'YWJj', format: 'wav' } },
      { type: 'input_audio', input_audio: { data: 'YWJj', format: 'mp3' } },
      { type: 'file', file: { filename: 'd.pdf', file_data: 'data:application/pdf;base64,YWJj' } },
      { type: 'text', text: 'File "e.svg":\n\nabc' },
      { type: 'text', text: 'File "f.txt":\n\nwörld' },
      { type: 'file', file: { filename: 'g.heic', file_data: 'data:image/heic;base64,YWJj' } },
    ]);
  });

  test('a file alone needs no text', async () => {
    expect(await contentOf('', [file('a.png', 'image/png')])).toHaveLength(1);
  });

  test('what does not fit is told of in its place, and what fits behind it still comes', async () => {
    const large = file('large.png', 'image/png', new Uint8Array(600));
    const parts = await contentOf('', [large, large, file('small.png', 'image/png')], 1_000);
    expect(parts).toMatchObject([
      { type: 'image_url' },
      note('large.png', 'too large'),
      { type: 'image_url' },
    ]);
  });

  test('a text file that no model would read to its end is told of', async () => {
    expect(await contentOf('', [file('log.txt', 'text/plain', new Uint8Array(300_000))])).toMatchObject([
      note('log.txt', 'too large'),
    ]);
  });

  test('a size that is not true deceives nobody', async () => {
    const lying = { ...file('a.png', 'image/png', new Uint8Array(5_000)), size: 1 };
    expect(await contentOf('', [lying], 1_000)).toMatchObject([note('a.png', 'too large')]);
  });

  test('a file that cannot be read is told of', async () => {
    expect(await contentOf('', [file('a.png', 'image/png', new Error('gone'))])).toMatchObject([
      note('a.png', 'could not be read'),
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Down } from '../../../src/dialects/dialect.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, HERE, openAssistant, openWorkflow, prompt, reply, tool, turn } from './bisheng.ts';

/** Random schedules of several turns: whatever the order, the page ends with each reply once, in rows that never mix. */

interface Frame {
  category: string;
  type: string;
  message: unknown;
  message_id: string | null;
  extra: string;
}

/** One thing that happens to a turn, or to the page. */
type Happening =
  | { does: 'say' | 'tool' | 'ask' | 'answer' | 'rewind' | 'finish' | 'cancel'; n: number }
  | { does: 'leave' | 'return' };

const TURNS = [1, 2, 3];

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      does: fc.constantFrom('say', 'say', 'say', 'tool', 'ask', 'answer', 'rewind', 'finish', 'cancel'),
      n: fc.constantFrom(...TURNS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('leave', 'return') }) },
);

/** The channel's side: what it would send for the schedule, and how each turn ends. */
class Channel {
  readonly texts = new Map<number, string>();
  readonly ended = new Map<number, string>();
  readonly #asked = new Set<number>();
  #words = 0;

  *frames(does: string, n: number): Generator<ServerFrame> {
    if (this.ended.has(n)) return;
    if (!this.texts.has(n)) {
      this.texts.set(n, '');
      yield turn('queued', n);
    }
    const text = this.texts.get(n) ?? '';
    const id = { prompt: `p${n}`, turn: `t${n}` };
    switch (does) {
      case 'say': {
        this.#words += 1;
        const word = `w${this.#words} `;
        this.texts.set(n, text + word);
        yield chunk(word, text.length, n);
        return;
      }
      case 'rewind': {
        // After a crash: the text goes on from less than was shown.
        const kept = text.slice(0, Math.floor(text.length / 2));
        this.texts.set(n, `${kept}again `);
        yield chunk(`${kept}again `, 0, n);
        return;
      }
      case 'tool':
        this.#words += 1;
        yield tool('completed', { turn: `t${n}`, tool: `c${this.#words}` });
        return;
      case 'ask':
        if (this.#asked.has(n)) return;
        this.#asked.add(n);
        yield prompt(id);
        return;
      case 'answer':
        yield* this.#close(n, 'answered');
        return;
      default:
        yield* this.#end(n, does === 'finish' ? 'completed' : 'cancelled');
    }
  }

  *#close(n: number, reason: 'answered' | 'cancelled'): Generator<ServerFrame> {
    if (this.#asked.delete(n)) yield { type: 'prompt_closed', seq: 1, prompt: `p${n}`, reason };
  }

  *#end(n: number, status: 'completed' | 'cancelled'): Generator<ServerFrame> {
    const text = this.texts.get(n) ?? '';
    if (status === 'cancelled') yield* this.#close(n, 'cancelled');
    if (text !== '') yield reply(text, n);
    yield turn(status, n);
    this.ended.set(n, text);
  }
}

const ELSEWHERE = 'elsewhere';
const go = (chatId: string) => ({ inputs: { data: { id: 'flow', chatId } } });

/** Plays a schedule to its end, with all turns ended and the page back where they are. */
function play(page: ReturnType<typeof openAssistant>, schedule: readonly Happening[]) {
  const channel = new Channel();
  const frames: Frame[] = [];
  /** What ended while the page was elsewhere is in its history. */
  const unseen = new Set<number>();
  let away = false;
  const hear = (said: readonly Down[]) => frames.push(...(said as readonly Frame[]));
  const move = (leave: boolean) => {
    if (leave === away) return;
    away = leave;
    // So is what waited behind another reply when the page left.
    for (const n of channel.ended.keys())
      if (!frames.some(({ message_id }) => message_id === `m${n}`)) unseen.add(n);
    hear(page.up(go(leave ? ELSEWHERE : HERE)).frames);
  };
  const end = { does: 'finish' as const };
  const whole = [...schedule, { does: 'return' as const }, ...TURNS.map((n) => ({ ...end, n }))];
  for (const one of whole) {
    if (!('n' in one)) {
      move(one.does === 'leave');
      continue;
    }
    const before = channel.ended.size;
    hear(page.down(...channel.frames(one.does, one.n)));
    if (away && channel.ended.size > before) unseen.add(one.n);
  }
  return { channel, frames, unseen };
}

const turnOf = ({ extra }: Frame): string | undefined => JSON.parse(extra).turn;

describe('P-WS-15 random schedules', () => {
  test('an assistant’s page: each reply once, with its final text; rows never mix; processing ends', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (schedule) => {
        const { channel, frames, unseen } = play(openAssistant(), schedule);
        for (const [n, text] of channel.ended) {
          const answers = frames.filter(
            ({ category, message_id }) => category === 'answer' && message_id === `m${n}`,
          );
          const told = answers.map(({ message }) => message);
          if (!unseen.has(n)) expect(told).toEqual(text === '' ? [] : [text]);
        }
        let row: string | undefined;
        let processing = false;
        const drafts = new Map<string, string>();
        for (const frame of frames) {
          const about = turnOf(frame);
          switch (`${frame.category}/${frame.type}`) {
            case 'processing/begin':
              // Another chat, or the reply again: what was written before it is left.
              if (about !== undefined) drafts.set(about, '');
              row = undefined;
              processing = true;
              break;
            case 'processing/start':
              expect(row).toBeUndefined();
              row = about;
              break;
            case 'processing/stream':
              expect([about, processing]).toEqual([row, true]);
              drafts.set(
                about ?? '',
                drafts.get(about ?? '') + (frame.message as { content: string }).content,
              );
              break;
            case 'processing/end':
              expect(about).toBe(row);
              row = undefined;
              break;
            case 'answer/end_cover':
              expect(frame.message).toBe(drafts.get(about ?? ''));
              break;
            case 'processing/close':
              // One that names no turn is of another chat, where nothing is open.
              if (about !== undefined) expect(row).toBeUndefined();
              row = undefined;
              processing = false;
          }
        }
        expect(processing).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a workflow’s page: one row of text for each reply, which ends with the final text', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (schedule) => {
        const page = openWorkflow();
        page.down({ type: 'ready', seq: 1 });
        const { channel, frames, unseen } = play(page, schedule);
        for (const [n, text] of channel.ended) {
          const rows = frames.filter(({ message_id }) => message_id === `m${n}`);
          const told = rows.map(({ message }) => (message as { msg: string }).msg);
          if (!unseen.has(n)) expect(told).toEqual(text === '' ? [] : [text]);
        }
        const drafts = new Map<string, string>();
        for (const frame of frames) {
          const about = turnOf(frame) ?? '';
          const what = `${frame.category}/${frame.type}`;
          if (what === 'processing/begin') drafts.set(about, '');
          if (what === 'stream_msg/stream')
            drafts.set(about, drafts.get(about) + (frame.message as { msg: string }).msg);
          if (what === 'stream_msg/end')
            expect((frame.message as { msg: string }).msg).toBe(drafts.get(about));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('P-WS-13 whatever a page sends is taken or refused, and never a fault', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('ping', 'stop', 'input'),
  );
  const frame = fc.record(
    {
      action: fc.oneof(fc.constantFrom('stop', 'input', 'init_data', 'check_status', 'ping'), anything),
      inputs: fc.oneof(fc.record({ input: anything, data: anything }, { requiredKeys: [] }), anything),
      data: fc.oneof(
        fc.dictionary(fc.string(), fc.record({ data: anything, message: anything, message_id: anything })),
        anything,
      ),
      message: anything,
      chat_id: anything,
      flow_id: anything,
      user_id: anything,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.constantFrom(openAssistant, openWorkflow), fc.oneof(frame, anything), (open, one) => {
      const page = open();
      page.down(
        turn('queued'),
        prompt({ kind: 'form', choices: undefined, schema: { properties: { a: 1 } } }),
      );
      try {
        page.up(JSON.stringify(one));
      } catch (error) {
        expect(error).toMatchObject({
          name: 'StarwireError',
          code: expect.stringMatching(/^(?:bad_request|forbidden)$/),
        });
      }
    }),
    { numRuns: 2_000 },
  );
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Delivery } from '../../../src/protocol/delivery.ts';
import { parseOutbound } from '../../../src/protocol/outbound.ts';
import { demo } from '../../../src/upstream/demo/demo.ts';
import { SCENES } from '../../../src/upstream/demo/scenes.ts';
import { HELP } from '../../../src/upstream/demo/texts.ts';
import { type ReplyEvent, UpstreamError } from '../../../src/upstream/upstream.ts';
import { deliveryOf } from './run-harness.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Played {
  events: ReplyEvent[];
  accepted: boolean;
  error: unknown;
}

/** Plays a scene to its end, as fast as the clock can jump. */
async function play(fields: Partial<Delivery>, signal = new AbortController().signal): Promise<Played> {
  const played: Played = { events: [], accepted: false, error: undefined };
  const options = {
    id: 'turn_1',
    signal,
    history: async () => [],
    attachments: [],
    accepted: () => {
      played.accepted = true;
    },
  };
  const playing = (async () => {
    try {
      for await (const event of demo({ ...deliveryOf(), ...fields }, options)) played.events.push(event);
    } catch (error) {
      played.error = error;
    }
  })();
  await vi.runAllTimersAsync();
  await playing;
  return played;
}

const kinds = ({ events }: Played): string[] => [...new Set(events.map(({ kind }) => kind))];
const textOf = ({ events }: Played): string =>
  events.map((event) => (event.kind === 'chunk' && !event.reasoning ? event.text : '')).join('');

/** The words that `help` names. */
const WORDS = [...HELP.matchAll(/^- (.*):/gm)].flatMap(([, list = '']) =>
  [...list.matchAll(/`(\w+)`/g)].map(([, word = '']) => word),
);

describe('the demo', () => {
  test('help names every scene, and nothing else', async () => {
    expect(WORDS.sort()).toEqual(Object.keys(SCENES).sort());
    expect(textOf(await play({ text: 'help' })).trim()).toBe(HELP.trim());
  });

  test.each(WORDS)(
    '%s gives events that are valid, of one turn, with nothing of it behind its end',
    async (word) => {
      const played = await play({ text: `Show me ${word}, please` });
      expect(played.accepted).toBe(true);
      for (const event of played.events)
        expect(parseOutbound({ channel: 'webchat:ada', ...event }).event.kind).toBe(event.kind);
      const end = played.events.findIndex(({ kind }) => kind === 'done');
      const behind = played.events.slice(end + 1);
      if (word === 'silent') expect(played.events).toEqual([]);
      else if (word === 'fail') expect(played.error).toBeInstanceOf(UpstreamError);
      else {
        expect(played.error).toBeUndefined();
        expect(end).toBeGreaterThan(0);
        // A question outlives its turn: it is answered in the next one.
        for (const event of behind) expect(event).toMatchObject({ kind: 'prompt' });
      }
    },
  );

  const shown: [string, string[]][] = [
    ['markdown', ['chunk', 'done']],
    ['reasoning', ['chunk', 'done']],
    ['tool', ['chunk', 'tool', 'done']],
    ['buttons', ['message', 'done']],
    ['file', ['chunk', 'file', 'done']],
    ['edit', ['message', 'edit', 'done']],
    ['prompt', ['chunk', 'done', 'prompt']],
    ['form', ['chunk', 'done', 'prompt']],
    ['approval', ['chunk', 'done', 'prompt']],
    ['slow', ['chunk', 'done']],
    ['fail', ['chunk']],
    ['silent', []],
  ];
  test.each(shown)('%s shows %j', async (word, expected) => {
    expect(kinds(await play({ text: word }))).toEqual(expected);
  });

  test('tool tells how one call goes on', async () => {
    const { events } = await play({ text: 'tool' });
    const calls = events.flatMap((event) => (event.kind === 'tool' ? [event] : []));
    expect(calls.map(({ status }) => status)).toEqual(['running', 'running', 'completed']);
    expect(new Set(calls.map(({ tool }) => tool)).size).toBe(1);
  });

  test('anything else is answered, with what was said', async () => {
    expect(textOf(await play({ text: 'good morning', user_name: 'Ada' }))).toMatch(
      /Ada[\s\S]*> good morning/,
    );
  });

  test('words of objects are words, not scenes', async () => {
    for (const text of ['constructor', 'toString', '__proto__'])
      expect(textOf(await play({ text }))).toContain(`> ${text}`);
  });

  test('a pressed button and an answered question are answered with what was chosen', async () => {
    expect(textOf(await play({ type: 'action', text: 'Tea' }))).toContain('Tea');
    const extra = { prompt: 'prompt_1', value: 'As a poem' };
    expect(textOf(await play({ type: 'answer', text: 'As a poem', extra }))).toContain('As a poem');
  });

  test('a cancellation is taken and nothing is said to it', async () => {
    expect(await play({ type: 'cancel', text: 'markdown' })).toEqual({
      events: [],
      accepted: true,
      error: undefined,
    });
  });

  test('P-WS-11 a stopped turn ends the scene where it is', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 5_000);
    const { events, error } = await play({ text: 'slow' }, abort.signal);
    expect(error).toBe(abort.signal.reason);
    expect(events.length).toBeLessThan(20);
    expect(events.every(({ kind }) => kind === 'chunk')).toBe(true);
  });
});

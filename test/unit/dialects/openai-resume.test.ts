import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OpenAiEvent, openaiDown } from '../../../src/dialects/openai.ts';
import type { Position } from '../../../src/protocol/cursor.ts';
import { type Button, isTerminal, type ServerFrame } from '../../../src/protocol/server-frames.ts';
import { eventId, readEventId } from '../../../src/routes/openai-event-id.ts';
import { chunk, down, edit, file, message, START, turn } from './frames.ts';

/** An event, its id, and the frame from which a reader of that id goes on. */
interface Recorded {
  id: string;
  event: OpenAiEvent;
  from: number;
}

const place = (seq: number, open: boolean): Position => ({
  cursor: { epoch: 'epoch', seq },
  turns: new Map(open ? [['req_1', { text: 0, reasoning: 0 }]] : []),
});

/** What a client that reads everything gets. */
function record(frames: readonly ServerFrame[]): Recorded[] {
  let state = { ...START, include_usage: true };
  return frames.flatMap((frame, n) => {
    const [next, sent] = openaiDown(state, frame);
    state = next;
    const open = !(frame.type === 'turn' && isTerminal(frame.status));
    return sent.map(({ event, state: at }, i) =>
      i === sent.length - 1
        ? { event, from: n + 1, id: eventId(place(n + 1, open), next) }
        : { event, from: n, id: eventId(place(n, true), at, true) },
    );
  });
}

const Text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', ' ', ' \n', 'x'.repeat(8_192), '😀'.repeat(9_000), `${'y'.repeat(8_191)}😀`),
);
const Buttons = fc.array(
  fc.record({ label: fc.constantFrom('Yes', 'B'.repeat(9_000)), custom_id: fc.constant('b') }),
  { maxLength: 2 },
);

type Step =
  | { kind: 'text' | 'reasoning' | 'other' | 'replaced' | 'edited' | 'call'; text: string }
  | { kind: 'reply'; buttons: { label: string; custom_id: string }[] }
  | { kind: 'file' };

const Steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('text', 'reasoning', 'other', 'replaced', 'edited', 'call'),
      text: Text,
    }),
    fc.record({ kind: fc.constant('reply' as const), buttons: Buttons }),
    fc.record({ kind: fc.constant('file' as const) }),
  ),
  { maxLength: 8 },
);

/** The frames of a turn in which all that happens. */
function framesOf(steps: readonly Step[], failed: boolean): ServerFrame[] {
  let text = '';
  let reasoning = '';
  let buttons: Button[] = [];
  const frames = steps.map((step, n): ServerFrame => {
    switch (step.kind) {
      case 'text':
        text += step.text;
        return chunk(step.text, text.length - step.text.length);
      case 'reasoning':
        reasoning += step.text;
        return chunk(step.text, reasoning.length - step.text.length, 'reasoning');
      case 'other':
        return message(step.text, { id: `msg_other${n}` });
      case 'replaced':
        text = step.text;
        return message(text, { reasoning });
      case 'edited':
        text = step.text;
        return edit(text);
      case 'reply':
        buttons = step.buttons;
        return message(text, { reasoning, buttons });
      case 'call': {
        const called = { index: 0, id: 'call_1', function: { name: 'f', arguments: step.text } };
        return { type: 'delta', seq: 1, turn: 'req_1', tool_calls: [called] };
      }
      case 'file':
        return file();
      default:
        return step satisfies never;
    }
  });
  const error = { label: '', type: 'upstream_http', message: 'no', hint: '' };
  // The reply is given once more at its end, with its buttons.
  return [
    ...frames,
    message(text, { reasoning, buttons }),
    failed ? turn('failed', { error }) : turn('completed'),
  ];
}

describe('P-OA-8 resuming', () => {
  test('P-OA-8 behind any event of any stream gives exactly the events behind it', () => {
    fc.assert(
      fc.property(Steps, fc.boolean(), (steps, failed) => {
        const frames = framesOf(steps, failed);
        const recorded = record(frames);
        for (const [n, { id, from }] of recorded.entries()) {
          const resumed = readEventId(id, { ...START, include_usage: true });
          if (!resumed) return expect.fail(`the id ${id} cannot be read`);
          // The end itself is the route's: there are no frames left.
          if (n === recorded.length - 1) continue;
          const { events } = down(frames.slice(from), resumed.state);
          expect(events).toEqual(recorded.slice(n + 1).map(({ event }) => event));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('P-OA-8 every event has an id of its own', () => {
    const recorded = record(framesOf([{ kind: 'text', text: 'z'.repeat(60_000) }, { kind: 'file' }], false));
    expect(new Set(recorded.map(({ id }) => id)).size).toBe(recorded.length);
  });

  test('P-OA-8 the id of no place at all is the start', () => {
    const id = eventId({ turns: new Map() }, START);
    expect(readEventId(id, START)).toEqual({ position: { turns: new Map() }, state: START });
  });

  test.each([
    '',
    'x',
    '1',
    'epoch.1',
    'epoch.1!',
    'epoch.1!0.0.0.0',
    'epoch.1!0.0.0.0.8',
    'epoch.1!-1.0.0.0.0',
    'epoch!0.0.0.0.0',
    'epoch.1~x!0.0.0.0.0',
    'epoch.1!0.0.0.0.0!',
    'epoch.1!00000000.0.0.0.0',
  ])('P-OA-8 "%s" is no event id', (id) => {
    expect(readEventId(id, START)).toBeUndefined();
  });
});

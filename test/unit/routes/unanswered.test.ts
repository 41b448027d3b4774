import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/protocol/client-frames.ts';
import type { AckFrame, ErrorFrame, ServerFrame, TurnFrame } from '../../../src/protocol/server-frames.ts';
import { Unanswered } from '../../../src/routes/unanswered.ts';

const message = (client_id: string): Command => ({ type: 'message', client_id, text: 'hi' });
const cancel: Command = { type: 'cancel', turn: 't1' };
const ack = (client_id: string): AckFrame => ({
  ...{ type: 'ack', client_id, id: 'm', seq: 1, conversation: 'default', duplicate: false },
});
const error: ErrorFrame = { type: 'error', code: 'turn_finished', message: 'it ended', retryable: false };
const ended: TurnFrame = {
  ...{ type: 'turn', seq: 2, turn: 't1', conversation: 'default', message: 'm1', status: 'cancelled' },
};

/** What is sent to a new connection. */
function sent(unanswered: Unanswered): { commands: Command[]; refusals: object[] } {
  const commands: Command[] = [];
  const refusals = unanswered.send((command) => commands.push(command));
  return { commands, refusals };
}

describe('P-WS-5 commands over resets', () => {
  test('what was not answered is sent again, in order', () => {
    const unanswered = new Unanswered();
    for (const command of [message('a'), message('b'), cancel]) unanswered.add(command);
    unanswered.see(ack('a'));
    expect(sent(unanswered).commands).toEqual([message('b'), cancel]);
  });

  test.each<[string, Command, ServerFrame]>([
    ['an ack', message('a'), ack('a')],
    ['an error that names it', message('a'), { ...error, client_id: 'a' }],
    ['the end of the turn', cancel, ended],
    ['an error that names nothing', cancel, error],
  ])('%s answers', (_, command, answer) => {
    const unanswered = new Unanswered();
    unanswered.add(command);
    expect(unanswered.none).toBe(false);
    unanswered.see(answer);
    expect(unanswered.none).toBe(true);
    expect(sent(unanswered)).toEqual({ commands: [], refusals: [] });
  });

  test('what answers something else does not', () => {
    const unanswered = new Unanswered();
    unanswered.add(message('a'));
    unanswered.see(ack('b'));
    unanswered.see(error);
    unanswered.see(ended);
    expect(unanswered.none).toBe(false);
  });

  test('what comes again by itself is not kept', () => {
    const unanswered = new Unanswered();
    unanswered.add({ type: 'typing', active: true });
    unanswered.add({ type: 'seen', seq: 1 });
    expect(unanswered.none).toBe(true);
  });

  test('a command at which the object breaks down again and again is given up, and refused', () => {
    const unanswered = new Unanswered();
    unanswered.add(message('a'));
    for (let i = 0; i < 3; i += 1) expect(sent(unanswered).commands).toHaveLength(1);
    expect(sent(unanswered)).toMatchObject({
      commands: [],
      refusals: [{ type: 'error', code: 'internal', client_id: 'a' }],
    });
    expect(unanswered.none).toBe(true);
  });
});

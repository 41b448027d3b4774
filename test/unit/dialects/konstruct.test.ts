import { describe, expect, test } from 'vitest';
import { konstruct } from '../../../src/dialects/konstruct.ts';
import { chunk, done, file, HERE, open, reply, said, THERE, turn, typing } from './konstruct.ts';
import { refusalOf, Transcript } from './transcript.ts';

const AGENT = '33333333-3333-4333-8333-333333333333';

describe('P-DI-1 the first frame', () => {
  const hello = (frame: unknown) =>
    konstruct.hello?.(typeof frame === 'string' ? frame : JSON.stringify(frame));
  const auth = { type: 'auth', userId: AGENT, role: 'customer_admin', tenantId: HERE, token: 'x.y.z' };

  test('says who it is; its claims are for the token to prove', () => {
    expect(hello(auth)).toEqual({ token: 'x.y.z', claims: { user: AGENT, tenant: HERE } });
    expect(hello({ ...auth, token: undefined })).toMatchObject({ token: undefined });
  });

  test.each([
    ['First message must be auth', { type: 'message', text: 'hi' }],
    ['First message must be auth', 'no JSON'],
    ['First message must be auth', '[]'],
    ['Missing userId or tenantId in auth', { ...auth, userId: '' }],
    ['Missing userId or tenantId in auth', { ...auth, tenantId: undefined }],
    ['Invalid UUID format in auth', { ...auth, userId: 'ada' }],
    ['Invalid UUID format in auth', { ...auth, tenantId: 'default' }],
  ])('%s', (message, frame) => {
    expect(refusalOf(() => hello(frame))).toBe(message);
  });

  test('a conversation is a UUID', () => {
    expect(refusalOf(() => new Transcript(konstruct, { conversation_id: 'support' }))).toBe(
      'Invalid UUID format in conversation_id',
    );
  });

  test('who is not let in hears why, and 4001', () => {
    const body = { code: 'unauthorized', message: 'the token is not valid', retryable: false } as const;
    expect(konstruct.denied(body)).toEqual({
      frames: [{ type: 'error', message: 'the token is not valid' }],
      close: { code: 4001, reason: 'unauthorized' },
    });
  });
});

describe('P-DI-2 up', () => {
  test('a message: typing before any work, and the command with what the agent needs to know', () => {
    const frame = { type: 'message', text: 'hi', agentId: AGENT, displayName: 'Ada L.' };
    expect(open().up(frame)).toEqual({
      frames: [typing],
      commands: [
        {
          ...{ type: 'message', client_id: 'id1', text: 'hi', conversation: HERE },
          extra: { agent_id: AGENT, display_name: 'Ada L.' },
        },
      ],
    });
  });

  test('a message may go to another conversation, which is shown from then on', () => {
    const socket = open();
    const [command] = socket.up({
      type: 'message',
      text: 'hi',
      conversationId: THERE.toUpperCase(),
    }).commands;
    expect(command).toMatchObject({ conversation: THERE });
    expect(
      socket.down(turn('queued', 1, { conversation: THERE }), reply('yes', 1, { conversation: THERE }), {
        ...turn('completed'),
        conversation: THERE,
      }),
    ).toEqual([typing, done('yes', THERE)]);
  });

  test('what is not a message is not heard, as in the original', () => {
    expect(open().up({ type: 'heartbeat' })).toEqual({ commands: [], frames: [] });
  });

  test.each([
    ['the frame is not JSON', 'no JSON'],
    ['Invalid UUID format in conversationId', { type: 'message', text: 'hi', conversationId: 'support' }],
    ['"text" is empty', { type: 'message', text: '' }],
  ])('refused: %s', (message, frame) => {
    expect(open().refusal((socket) => socket.up(frame))).toBe(message);
  });

  test('closing cancels only where the client says so; any other end leaves the reply running', () => {
    const socket = open();
    socket.up({ type: 'message', text: 'hi' });
    socket.down(said('id1'), turn('running'), turn('queued', 2));
    expect(socket.left(1000)).toEqual([]);
    expect(socket.left(1005)).toEqual([]);
    expect(socket.left(1006)).toEqual([]);
    expect(socket.left(1000, 'cancel')).toEqual([
      { type: 'cancel', turn: 't1' },
      { type: 'cancel', turn: 't2' },
    ]);
  });
});

describe('P-DI-2 down', () => {
  test('a streamed reply: chunks, then done with all of it; typing is not said twice', () => {
    const socket = open();
    socket.up({ type: 'message', text: 'hi' });
    expect(
      socket.down(
        ...[said('id1'), turn('queued'), turn('running'), chunk('He'), chunk('llo', 2)],
        ...[reply('Hello'), turn('completed')],
      ),
    ).toEqual([{ type: 'chunk', text: 'He' }, { type: 'chunk', text: 'llo' }, done('Hello')]);
  });

  test('a whole reply is done at once', () => {
    expect(open().down(turn('queued'), reply('Hello'), turn('completed'))).toEqual([typing, done('Hello')]);
  });

  test('P-DI-3: what begins in another tab is typed, streamed and done here, too', () => {
    expect(
      open().down(said('of another tab'), turn('queued'), chunk('a'), reply('a'), turn('completed')),
    ).toEqual([typing, { type: 'chunk', text: 'a' }, done('a')]);
  });

  test('two replies at a time come one after the other, each in its order', () => {
    const socket = open();
    socket.up({ type: 'message', text: 'one' });
    socket.up({ type: 'message', text: 'two' });
    expect(
      socket.down(
        ...[said('id1'), turn('running'), said('id2', 2), turn('running', 2)],
        ...[chunk('a'), chunk('x', 0, 2), chunk('b', 1), chunk('y', 1, 2)],
        ...[reply('ab'), turn('completed'), chunk('z', 2, 2), reply('xyz', 2), turn('completed', 2)],
      ),
    ).toEqual([
      ...[{ type: 'chunk', text: 'a' }, { type: 'chunk', text: 'b' }, done('ab')],
      ...[{ type: 'chunk', text: 'xy' }, { type: 'chunk', text: 'z' }, done('xyz')],
    ]);
  });

  test('the one that ended first waits for the one that began first', () => {
    expect(
      open().down(
        ...[turn('running'), turn('running', 2), reply('two', 2), turn('completed', 2)],
        ...[reply('one'), turn('completed')],
      ),
    ).toEqual([typing, typing, done('one'), done('two')]);
  });

  test('P-WS-8: text that comes again is not said again; text that was replaced comes right with done', () => {
    const again = open();
    expect(
      again.down(turn('running'), chunk('Hel'), turn('running', 1, { snapshot: true }), chunk('Hello', 0)),
    ).toEqual([typing, { type: 'chunk', text: 'Hel' }, { type: 'chunk', text: 'lo' }]);
    expect(again.down(chunk('Goodbye', 0), chunk('!', 7), reply('Goodbye!'), turn('completed'))).toEqual([
      done('Goodbye!'),
    ]);
  });

  test('P-WS-8: after a reset, what is still open goes on and what is not ends with an error', () => {
    const socket = open();
    socket.down(turn('running'), chunk('a'), turn('running', 2));
    const frames = socket.down(
      { type: 'reset', reason: 'retention', epoch: 'e', seq: 9 },
      turn('running', 2, { snapshot: true }),
      { type: 'ready', seq: 9 },
      ...[chunk('b', 0, 2), reply('b', 2), turn('completed', 2)],
    );
    expect(frames).toEqual([
      { type: 'error', message: 'The connection was interrupted. Please open the conversation again.' },
      ...[{ type: 'chunk', text: 'b' }, done('b')],
    ]);
  });

  test('a connection begins with what is open', () => {
    expect(
      open().down(turn('running', 1, { snapshot: true }), chunk('so far'), { type: 'ready', seq: 3 }),
    ).toEqual([typing, { type: 'chunk', text: 'so far' }]);
  });

  test('P-WS-9: what was said while nobody was here', () => {
    expect(open().down(reply('missed'), turn('completed'), reply('news', 2, { turn: undefined }))).toEqual([
      done('missed'),
      done('news'),
    ]);
  });

  test('no answer in time is the original’s error; a failure says its own', () => {
    expect(open().down(turn('running'), turn('expired'))).toEqual([
      typing,
      { type: 'error', message: 'Agent did not respond in time. Please try again.' },
    ]);
    const error = { label: 'Service unreachable', type: 'upstream_unreachable', message: 'No.', hint: '' };
    expect(open().down(turn('failed', 1, { error }))).toEqual([{ type: 'error', message: 'No.' }]);
    expect(open().down(turn('failed', 1, { error: { ...error, message: '' } }))).toEqual([
      { type: 'error', message: 'Service unreachable' },
    ]);
  });

  test('P-WS-11: a cancelled reply is done with what there was', () => {
    expect(
      open().down(turn('running'), chunk('so f'), reply('so f', 1, { partial: true }), turn('cancelled')),
    ).toEqual([typing, { type: 'chunk', text: 'so f' }, done('so f')]);
  });

  test('a refusal is an error, and nothing is waited for', () => {
    const socket = open();
    socket.up({ type: 'message', text: 'hi' });
    const body = { code: 'rate_limited', message: 'too many messages', retryable: true } as const;
    expect(socket.down({ type: 'error', ...body, client_id: 'id1' })).toEqual([
      { type: 'error', message: 'too many messages' },
    ]);
    expect(socket.down(turn('queued'))).toEqual([typing]);
  });

  test('buttons, files and messages beside a reply are text of their own, behind it', () => {
    const buttons = [{ label: 'Yes', custom_id: 'y' }];
    expect(
      open().down(
        ...[turn('running'), chunk('a'), file, reply('note', 9, { turn: undefined, buttons })],
        ...[reply('a', 1, { buttons }), turn('completed')],
      ),
    ).toEqual([
      ...[typing, { type: 'chunk', text: 'a' }, done('a\n\n- Yes')],
      ...[done('[a.pdf](https://example.org/a.pdf)'), done('note\n\n- Yes')],
    ]);
  });

  test('reasoning, tools, other conversations and what has no words here are not shown', () => {
    expect(
      open().down(
        turn('running', 1, { conversation: THERE }),
        chunk('a', 0, 1, { conversation: THERE }),
        reply('a', 1, { conversation: THERE }),
        chunk('hm', 0, 1, { kind: 'reasoning' }),
        { type: 'ready', seq: 1 },
        { type: 'ack', client_id: 'id1', id: 'u1', seq: 1, conversation: HERE, turn: 't1', duplicate: false },
      ),
    ).toEqual([]);
  });

  test('the bot types where nothing is under way; the user’s own typing is not shown', () => {
    const socket = open();
    expect(socket.down({ type: 'typing', active: true, sender: 'star' })).toEqual([typing]);
    expect(socket.down({ type: 'typing', active: false, sender: 'star' })).toEqual([]);
    expect(socket.down({ type: 'typing', active: true, sender: 'ada' })).toEqual([]);
    expect(socket.down(turn('running'), { type: 'typing', active: true, sender: 'star' })).toEqual([typing]);
  });
});

import { describe, expect, test } from 'vitest';
import type { AckFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, done, event, type Tab, World } from './harness.ts';

const ack = (tab: Tab): AckFrame => {
  const last = tab.socket.of('ack').at(-1);
  if (!last) throw new Error('no ack');
  return last;
};
const code = (tab: Tab) => tab.socket.of('error').at(-1)?.code;

describe('P-WS-5 idempotent sends', () => {
  test('P-WS-5 an ack comes before the message it is about; message and turn follow', () => {
    const world = new World();
    const tab = world.connect();
    tab.socket.clear();
    world.say(tab, 'hello', { client_id: 'c1', conversation: 'work' });
    expect(tab.socket.types).toEqual(['ack', 'message', 'turn']);
    const [sent, said, turn] = tab.socket.frames;
    expect(sent).toMatchObject({ client_id: 'c1', seq: 1, conversation: 'work', duplicate: false });
    expect(said).toMatchObject({ seq: 1, role: 'user', sender: 'ann', client_id: 'c1', id: ack(tab).id });
    expect(turn).toMatchObject({ seq: 2, status: 'queued', turn: ack(tab).turn });
  });

  test('P-WS-5 a repeated client_id with the same content: the same id, seq and turn; one message, one turn', () => {
    const world = new World();
    const [tab, other] = [world.connect(), world.connect()];
    world.say(tab, 'hello', { client_id: 'c1' });
    const first = ack(tab);
    world.crash();
    const again = world.connect(world.at(2));
    world.say(again, 'hello', { client_id: 'c1' });
    expect(ack(again)).toEqual({ ...first, duplicate: true });
    expect(world.journal).toHaveLength(2);
    expect(other.socket.of('message')).toHaveLength(1);
    expect(world.channel.calls).toHaveLength(1);
  });

  test('P-WS-5 with other content: idempotency_mismatch, and nothing happens', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello', { client_id: 'c1' });
    world.say(tab, 'hello!', { client_id: 'c1' });
    expect(tab.socket.of('error')[0]).toMatchObject({ code: 'idempotency_mismatch', client_id: 'c1' });
    world.say(tab, 'hello', { client_id: 'c1', conversation: 'other' });
    expect(tab.socket.of('error')).toHaveLength(2);
    expect(world.head).toBe(2);
  });

  test('P-WS-5 a repetition costs no token and needs no room', () => {
    const world = new World({ limits: { messages_burst: 1, open_turns: 1 } });
    const tab = world.connect();
    world.say(tab, 'hello', { client_id: 'c1' });
    for (let i = 0; i < 20; i += 1) world.say(tab, 'hello', { client_id: 'c1' });
    expect(tab.socket.of('error')).toEqual([]);
    expect(tab.socket.closed).toBeUndefined();
  });

  test('P-WS-5 what was refused is not remembered', () => {
    const world = new World({ limits: { open_turns: 1 } });
    const tab = world.connect();
    world.say(tab, 'one', { client_id: 'c1' });
    world.say(tab, 'two', { client_id: 'c2' });
    expect(code(tab)).toBe('rate_limited');
    world.apply(done(ack(tab).turn ?? ''));
    world.say(tab, 'two', { client_id: 'c2' });
    expect(ack(tab)).toMatchObject({ client_id: 'c2', duplicate: false });
  });
});

describe('limits of sends', () => {
  test.each([
    ['empty', '', 'bad_request'],
    ['over the limit', 'x'.repeat(11), 'too_large'],
  ])('P-WS-13 a text that is %s is refused by name', (_, text, refused) => {
    const world = new World({ limits: { message_text: 10 } });
    const tab = world.connect();
    world.say(tab, text);
    expect(tab.socket.of('error')[0]).toMatchObject({ code: refused, field: 'text' });
    expect(world.journal).toEqual([]);
  });

  test('P-WS-13 an attachment that is not there is not_found', () => {
    const world = new World();
    const tab = world.connect();
    const attachments = [{ id: 'file_1' }];
    world.channel.receive(tab.session, { type: 'message', client_id: 'c', text: 'see', attachments });
    expect(tab.socket.of('error')[0]).toMatchObject({ code: 'not_found', field: 'attachments' });
    const known = { id: 'file_1', filename: 'a.png', mimetype: 'image/png', size: 3 };
    world.channel.receive(
      tab.session,
      { type: 'message', client_id: 'c', text: '', attachments },
      new Map([['file_1', known]]),
    );
    const url = expect.stringContaining('https://chat.example/files/file_1/a.png');
    expect(tab.socket.of('message')[0]?.attachments).toEqual([{ ...known, url }]);
    expect(JSON.stringify(world.journal)).not.toContain('sig=');
    expect(world.connect(world.at(0)).socket.of('message')[0]?.attachments).toEqual([{ ...known, url }]);
  });

  test('8 open turns: the next message is rate_limited', () => {
    const world = new World();
    const tab = world.connect();
    for (let i = 0; i < 9; i += 1) world.say(tab, `m${i}`, { conversation: `c${i}` });
    expect(tab.socket.of('ack')).toHaveLength(8);
    expect(tab.socket.of('error')).toMatchObject([{ code: 'rate_limited', retry_after: 1 }]);
    expect(world.apply(event({ kind: 'turn' })).error?.code).toBe('rate_limited');
  });

  test('a burst of 20 and 60 a minute: an error each with retry_after; 4008 after 10 refusals', () => {
    const world = new World({ limits: { open_turns: 1_000 } });
    const tab = world.connect();
    for (let i = 0; i < 21; i += 1) world.say(tab, 'x');
    expect(tab.socket.of('ack')).toHaveLength(20);
    expect(tab.socket.of('error')).toMatchObject([{ code: 'rate_limited', retry_after: 1, retryable: true }]);
    world.pass(1_000);
    world.say(tab, 'x');
    expect(tab.socket.of('ack')).toHaveLength(21);
    for (let i = 0; i < 8; i += 1) world.say(tab, 'x');
    expect(tab.socket.closed).toBeUndefined();
    world.say(tab, 'x');
    expect(tab.socket.closed?.code).toBe(4008);
    expect(tab.socket.of('error')).toHaveLength(10);
  });
});

describe('P-WS-5 buttons', () => {
  const offer = (world: World) =>
    world.apply(
      event({
        kind: 'message',
        text: 'which?',
        buttons: [
          { label: 'Yes', custom_id: 'y', emoji: '👍', style: 'primary' },
          { label: 'No', custom_id: 'n' },
        ],
      }),
    ).id ?? '';
  const press = (world: World, tab: Tab, message: string, custom_id: string, client_id: string) =>
    world.channel.receive(tab.session, { type: 'action', client_id, message, custom_id });

  test('P-WS-5 two tabs pressing one button count once; the second gets already_answered', () => {
    const world = new World();
    const [one, two] = [world.connect(), world.connect()];
    const message = offer(world);
    press(world, one, message, 'y', 'c1');
    press(world, two, message, 'y', 'c2');
    expect(ack(one)).toMatchObject({ client_id: 'c1', duplicate: false });
    expect(two.socket.of('error')).toMatchObject([{ code: 'already_answered', client_id: 'c2' }]);
    press(world, one, message, 'y', 'c1');
    expect(ack(one)).toMatchObject({ duplicate: true });
    expect(world.journal.filter((frame) => frame.type === 'message')).toMatchObject([
      { role: 'assistant' },
      { role: 'user', text: 'Yes', custom_id: 'y', reply_to: message },
    ]);
    expect(world.channel.calls.map(({ call }) => call)).toMatchObject([
      { type: 'start', delivery: { type: 'action', extra: { custom_id: 'y', message_id: message } } },
    ]);
  });

  test('a button that is not there is not_found; an edit brings its own buttons', () => {
    const world = new World();
    const tab = world.connect();
    const message = offer(world);
    press(world, tab, 'nothing', 'y', 'c1');
    press(world, tab, message, 'maybe', 'c2');
    expect(tab.socket.of('error').map((error) => error.field)).toEqual(['message', 'custom_id']);
    world.apply(
      event({ kind: 'edit', id: message, text: 'or?', buttons: [{ label: 'M', custom_id: 'maybe' }] }),
    );
    press(world, tab, message, 'y', 'c3');
    expect(code(tab)).toBe('not_found');
    press(world, tab, message, 'maybe', 'c2');
    expect(ack(tab)).toMatchObject({ client_id: 'c2' });
  });
});

describe('P-WS-10 prompts', () => {
  const ask = (world: World, fields: Record<string, unknown> = {}) =>
    world.apply(event({ kind: 'prompt', question: 'why?', ...fields })).id ?? '';
  const answer = (world: World, tab: Tab, prompt: string, value: unknown, client_id = world.newId('msg')) =>
    world.channel.receive(tab.session, { type: 'answer', client_id, prompt, value });

  test('P-WS-10 comes with every connection until closed; two answers count once', () => {
    const world = new World();
    const [one, two] = [world.connect(), world.connect()];
    const prompt = ask(world, { prompt: 'p1', choices: ['a', { value: 'b', label: 'B' }] });
    expect(prompt).toBe('p1');
    world.crash();
    expect(world.connect().socket.of('prompt')).toMatchObject([{ prompt, kind: 'choice', snapshot: true }]);
    const [three, four] = [world.connect(), world.connect()];
    answer(world, three, prompt, 'b', 'c1');
    answer(world, four, prompt, 'a', 'c2');
    expect(ack(three)).toMatchObject({ client_id: 'c1', id: prompt });
    expect(four.socket.of('error')).toMatchObject([{ code: 'already_answered' }]);
    expect(four.socket.of('prompt_closed')).toMatchObject([{ prompt, reason: 'answered', value: 'b' }]);
    answer(world, three, prompt, 'b', 'c1');
    expect(ack(three)).toMatchObject({ duplicate: true });
    expect(world.connect().socket.of('prompt')).toEqual([]);
    expect([one.socket.of('prompt'), two.socket.of('prompt')].flat()).toHaveLength(2);
    expect(world.channel.calls).toMatchObject([
      { call: { type: 'start', delivery: { type: 'answer', extra: { prompt, value: 'b' } } } },
    ]);
  });

  const form = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, guests: { type: 'integer' }, size: { enum: ['s', 'm'] } },
  };

  test.each<[string, Record<string, unknown>, unknown[], unknown[]]>([
    ['choice', { choices: ['a', { value: 'b' }] }, ['c', 'B', 1, null, ['a']], ['b']],
    ['text', {}, [1, null, {}, []], ['']],
    ['approval', { prompt_kind: 'approval' }, ['yes', 1, null], [false]],
    ['approval', { prompt_kind: 'approval', choices: ['once', 'always'] }, [true, 'deny'], ['once']],
    [
      'form',
      { schema: form },
      [{}, 'x', [], { name: 1 }, { name: 'x', guests: 1.5 }, { name: 'x', size: 'l' }],
      [{ name: 'x', guests: 2, size: 'm' }],
    ],
  ])('P-WS-10 only a valid answer to a %s counts', (kind, fields, wrong, [right]) => {
    const world = new World();
    const tab = world.connect();
    const prompt = ask(world, fields);
    expect(tab.socket.of('prompt')).toMatchObject([{ kind }]);
    for (const value of wrong) answer(world, tab, prompt, value);
    expect(tab.socket.of('error').map((error) => [error.code, error.field])).toEqual(
      wrong.map(() => ['bad_request', 'value']),
    );
    expect(world.head).toBe(1);
    answer(world, tab, prompt, right);
    expect(tab.socket.of('prompt_closed')).toMatchObject([{ reason: 'answered', value: right }]);
  });

  test('an answer inside a turn goes to that turn, which waits for a person and not for silence', () => {
    const world = new World();
    const turn = world.turn();
    const tab = world.connect();
    world.apply(chunk(turn, 'so …'));
    const prompt = ask(world, { turn });
    world.pass(3_600_000);
    world.channel.expire();
    expect(world.channel.turn(turn)?.status).toBe('running');
    answer(world, tab, prompt, 'because');
    expect(ack(tab)).toMatchObject({ turn });
    expect(world.channel.calls.map(({ call }) => call.type)).toContain('deliver');
    expect(world.journal.filter((frame) => frame.type === 'turn')).toHaveLength(2);
  });

  test('prompts expire, and go with their turn when it does not complete', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    const early = ask(world, { expires_at: world.now / 1000 + 10 });
    const tied = ask(world, { turn });
    world.pass(10_000);
    expect(world.channel.wake).toBeLessThanOrEqual(world.now);
    world.channel.expire();
    expect(tab.socket.of('prompt_closed')).toMatchObject([{ prompt: early, reason: 'expired' }]);
    world.channel.cancel(turn);
    expect(tab.socket.of('prompt_closed')).toMatchObject([{}, { prompt: tied, reason: 'cancelled' }]);
    answer(world, tab, early, 'late');
    answer(world, tab, 'nothing', 'x');
    expect(tab.socket.of('error').map((error) => error.code)).toEqual(['already_answered', 'not_found']);
  });

  test.each([
    ['expires_at', { expires_at: 1 }, 'bad_request'],
    ['choices', { prompt_kind: 'choice' }, 'bad_request'],
    ['prompt', { prompt: 'taken' }, 'conflict'],
  ])('a prompt with a wrong %s is refused by name', (field, fields, refused) => {
    const world = new World();
    ask(world, { prompt: 'taken' });
    expect(world.apply(event({ kind: 'prompt', question: 'q', ...fields })).error).toMatchObject({
      code: refused,
      field,
    });
    expect(world.head).toBe(1);
  });
});

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { StarwireError, verifyWebhook, WebChatPlatform } from '../../src/adapter/index.ts';
import { inRoot } from '../../src/local/paths.ts';
import { sign } from '../../src/upstream/webhook.ts';
import { all, apiKey, complete, requestIdOf, told } from './v1.ts';
import { useWorld } from './world.ts';

/** The calls of both SDKs against the running bundle: what one does, the other does. */

const world = useWorld();

type Options = Record<string, unknown>;
/** A call of an SDK by its name in Python. Throws `{code, status, retryable}`. */
type Call = (name: string, args?: unknown[], options?: Options) => Promise<unknown>;

const inPython: Call = async (name, args = [], options = {}) => {
  const { PATH = '' } = process.env;
  const child = spawn('python3', [inRoot('test/integration/call_starwire.py')], {
    env: {
      PATH,
      ...world().server.secrets,
      STARWIRE_URL: world().origin,
      PYTHONPATH: inRoot('examples/python'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ do: name, args, options }));
  const { value, error } = (await json(child.stdout)) as { value: unknown; error?: object };
  if (error) throw error;
  return value;
};

const inTypeScript: Call = async (name, args = [], options = {}) => {
  const env = { ...world().server.secrets, STARWIRE_URL: world().origin };
  const starwire = WebChatPlatform.fromEnvironment(env, { retry_ms: 5_000 });
  const state = () => ({
    name: starwire.name,
    is_running: starwire.isRunning,
    bot_identity: starwire.botIdentity,
  });
  const [a, b, c, d] = args as [string, string, string, string];
  const calls: Record<string, () => unknown> = {
    state,
    start_and_state: () => starwire.start().then(state),
    stop_and_state: () => starwire.stop().then(state),
    send: () => starwire.send(a, b, options),
    send_file: () => starwire.sendFile(a, Buffer.from(b, 'base64'), c, d),
    send_with_buttons: () => starwire.sendWithButtons(a, b, args[2] as []),
    send_with_view: () => starwire.sendWithButtons(a, b, { children: args[2] as [] }),
    edit_message: () => starwire.editMessage(a, b, c),
    start_typing: () => starwire.startTyping(a),
    stop_typing: () => starwire.stopTyping(a),
    open_turn: () => starwire.openTurn(a, options),
    fetch_history: () => starwire.fetchHistory(a, args[1] as unknown as number),
    turn: () => starwire.turn(a),
    users: () => starwire.users(),
    sessions: () => starwire.sessions(a),
    close_sessions: () => starwire.closeSessions(a),
    post: () => starwire.post(args[0] as unknown as []),
    stream: () => starwire.stream({ channel: a, turn: b }).pipe(args[2] as []),
    sse_queue: async () => {
      const reply = starwire.createSseQueue(a);
      for (const part of args[1] as unknown as string[]) await reply.text(part);
      await (args[2] ? starwire.removeSseQueue(a) : reply.done());
    },
    verify: () => {
      const [headers, body, secrets] = args as [Record<string, string>, string, string[]];
      return verifyWebhook(new Request('http://bot/', { method: 'POST', headers, body }), { secrets });
    },
  };
  try {
    return await calls[name]?.();
  } catch (error) {
    if (!(error instanceof StarwireError)) throw error;
    const { code, status, retryable } = error;
    throw { code, status, retryable };
  }
};

describe.each([
  ['src/adapter', inTypeScript],
  ['examples/python/starwire.py', inPython],
])('%s', (_, call) => {
  const user = async () => {
    const person = await world().person();
    return { person, client: await world().connect(person) };
  };

  test('knows its platform, and starts and stops it', async () => {
    const bot_identity = { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' };
    expect(await call('state')).toEqual({ name: 'webchat', is_running: false, bot_identity });
    expect(await call('start_and_state')).toEqual({ name: 'webchat', is_running: true, bot_identity });
    expect(await call('stop_and_state')).toEqual({ name: 'webchat', is_running: false, bot_identity });
  });

  test('P-UP-6 sends to a channel and to a user, who may be away', async () => {
    const { person, client } = await user();
    const id = await call('send', [person.channel, 'Hello 😀'], { conversation: 'work', reply_to: 'msg_x' });
    expect(await client.frame('message')).toMatchObject({
      ...{ id, text: 'Hello 😀', conversation: 'work', reply_to: 'msg_x', sender: 'star' },
    });
    const away = await world().person();
    const waiting = await call('send', [away.id, 'When you are back']);
    const back = await world().connect(away);
    expect(back.all('message')).toMatchObject([{ id: waiting, text: 'When you are back' }]);
  });

  test('P-UP-7 under a key of its own a message counts once', async () => {
    const { person, client } = await user();
    const key = randomUUID();
    const ids = [
      await call('send', [person.id, 'once'], { key }),
      await call('send', [person.id, 'once'], { key }),
    ];
    expect(ids[1]).toBe(ids[0]);
    await expect(call('send', [person.id, 'twice'], { key })).rejects.toEqual({
      ...{ code: 'idempotency_mismatch', status: 422, retryable: false },
    });
    await client.settled();
    expect(client.all('message')).toHaveLength(1);
  });

  test('P-UP-5 sends buttons, as a list and as a view, and edits', async () => {
    const { person, client } = await user();
    const list = [{ label: 'Yes', custom_id: 'yes', emoji: '👍' }];
    const id = await call('send_with_buttons', [person.id, 'Sure?', list]);
    expect(await client.frame('message')).toMatchObject({ id, text: 'Sure?', buttons: list });
    const children = [{ label: 'No', custom_id: 'no', style: 'danger' }, { placeholder: 'a menu' }];
    const other = await call('send_with_view', [person.id, 'Really?', children]);
    expect(await client.frame('message', (frame) => frame.id === other)).toMatchObject({
      buttons: [{ label: 'No', custom_id: 'no', style: 'danger' }],
    });
    expect(await call('edit_message', [person.id, id, 'Thank you'])).toBe(true);
    expect(await client.frame('edit')).toMatchObject({ id, text: 'Thank you' });
    await expect(call('edit_message', [person.id, 'msg_none', 'x'])).rejects.toMatchObject({
      ...{ code: 'not_found', status: 404 },
    });
  });

  test('P-UP-6 sends files, and says where they are', async () => {
    const { person, client } = await user();
    const data = Buffer.from([0, 255, 128, ...Buffer.from('ünï')]).toString('base64');
    const url = await call('send_file', [person.id, data, 'ä b.bin', 'image/png']);
    const file = await client.frame('file');
    expect(url).toBe(`webchat://file/${file.id}/ä b.bin`);
    expect(file).toMatchObject({ filename: 'ä b.bin', mimetype: 'image/png', data });
  });

  test('shows that it is typing', async () => {
    const { person, client } = await user();
    await call('start_typing', [person.id]);
    expect(await client.frame('typing')).toMatchObject({ active: true, sender: 'star' });
    await call('stop_typing', [person.id]);
    await client.frame('typing', ({ active }) => !active);
  });

  test('P-UP-4 opens a turn, streams its reply, and knows what became of it', async () => {
    const { person, client } = await user();
    const turn = await call('open_turn', [person.id], { conversation: 'news' });
    expect(await call('turn', [turn])).toMatchObject({ turn, status: 'queued', conversation: 'news' });
    // Offsets count UTF-16 code units, in Python too.
    expect(await call('stream', [person.id, turn, ['A 😀', ' B', ' 漢']])).toMatchObject({ delivered: true });
    await client.frame('turn', ({ status }) => status === 'completed');
    expect(client.texts.get(String(turn))?.text).toBe('A 😀 B 漢');
    expect(await call('turn', [turn])).toMatchObject({ status: 'completed' });
    await expect(call('stream', [person.id, turn, ['x']])).rejects.toMatchObject({ code: 'turn_finished' });
    await expect(call('turn', ['turn_none'])).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });

  test('5.3 reads history, users and sessions', async () => {
    const { person, client } = await user();
    client.send({ type: 'message', client_id: 'c', text: 'silent' });
    await client.frame('ack');
    await call('send', [person.id, 'Hello']);
    expect(await call('fetch_history', [person.id, 10])).toMatchObject([
      { text: 'silent', is_bot: false, user_id: person.id },
      { text: 'Hello', is_bot: true, user_id: 'star' },
    ]);
    expect(await call('users')).toMatchObject({ active_users: expect.arrayContaining([person.id]) });
    expect(await call('sessions', [person.id])).toMatchObject([{ user_id: person.id, dialect: 'native' }]);
    expect(await call('close_sessions', [person.id])).toBe(1);
    expect((await client.closed).code).toBe(1000);
    expect(await call('sessions', [person.id])).toEqual([]);
  });

  test('P-UP-8 posts any events, each with its own result', async () => {
    const { person } = await user();
    const { channel } = person;
    expect(
      await call('post', [
        [
          { channel, kind: 'message', text: 'a' },
          { channel, kind: 'nothing' },
          { channel, kind: 'message', text: 'b' },
        ],
      ]),
    ).toMatchObject([{ seq: 1 }, { error: { code: 'bad_request' } }, { seq: 2 }]);
  });

  test.each([
    ['which is ended', false, 'stop', []],
    ['which is only removed: it must not look complete', true, undefined, [expect.anything()]],
  ])('P-OA-4 replies to a /v1 request by a queue %s', async (_, remove, finish, errors) => {
    const key = await apiKey(world(), 'ada');
    const messages = [{ role: 'user', content: 'silent' }];
    const response = await complete(world(), key, { stream: true, messages });
    await call('sse_queue', [requestIdOf(response), ['So ', 'far'], remove]);
    const sum = told(await all(response));
    expect(sum).toMatchObject({ content: 'So far', ends: 1 });
    expect(sum.errors).toEqual(errors);
    if (finish) expect(sum.finishes).toEqual([finish]);
  });

  test('P-UP-1 verifies deliveries', async () => {
    const body = '{"type":"message","turn":"t","text":"漢字 😀"}';
    const secrets = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString('base64')}`);
    const signed = (by: string[], at = new Date()) => sign(by, 'msg_1', at, body);
    for (const secret of secrets)
      expect(await call('verify', [signed(secrets), body, [secret]])).toMatchObject({
        id: 'msg_1',
        turn: 't',
      });
    const plain = 'a secret with spaces!';
    expect(await call('verify', [signed([plain]), body, [plain]])).toMatchObject({ text: '漢字 😀' });
    const untrusted = { code: 'unauthorized', status: 401, retryable: false };
    for (const [headers, text] of [
      [{}, body],
      [signed(secrets), body.replace('t', 'T')],
      [signed([plain]), body],
      [signed(secrets, new Date(Date.now() - 600_000)), body],
      [{ ...signed(secrets), 'webhook-timestamp': '²' }, body],
      [{ ...signed(secrets), 'webhook-signature': 'v1,é' }, body],
    ] as const)
      await expect(call('verify', [headers, text, secrets])).rejects.toEqual(untrusted);
  });
});

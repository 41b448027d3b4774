import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verify } from './fake-upstream.ts';
import type { JsonSocket } from './json-socket.ts';
import { auth, usePortal, words } from './portal.ts';

/** The portal's client, from the reference alone. */

const portal = usePortal();

describe('P-DI-2 a conversation', () => {
  test('typing before any work, chunks, done; the agent gets the normalised message', async () => {
    const person = await portal().user({ name: 'Ada L.' });
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const [text, agentId] = [words(), randomUUID()];
    socket.send({ type: 'message', text, agentId, displayName: 'Somebody' });
    const question = await portal().asked(text);
    const delivered =
      portal().agent.deliveries.find(({ raw }) => raw.includes(text)) ?? expect.fail('nothing came');
    verify(portal().world.server.secrets.UPSTREAM_WEBHOOK_SECRET, delivered);
    expect(question).toMatchObject({
      tenant_id: person.tenant,
      channel: 'web',
      channel_metadata: {
        portal_user_id: person.id,
        tenant_id: person.tenant,
        conversation_id: conversation,
      },
      sender: { user_id: person.id, display_name: 'Ada L.' },
      content: { text },
      thread_id: conversation,
      reply_to: null,
      conversation_id: conversation,
      portal_user_id: person.id,
      context: { agent_id: agentId },
    });
    await portal().says(
      person,
      question,
      { kind: 'chunk', text: 'Hel' },
      { kind: 'chunk', text: 'lo' },
      { kind: 'done' },
    );
    await socket.frame({ type: 'done' });
    expect(socket.frames).toEqual([
      { type: 'typing' },
      { type: 'chunk', text: 'Hel' },
      { type: 'chunk', text: 'lo' },
      { type: 'done', text: 'Hello', conversation_id: conversation },
    ]);
    expect(await portal().history(person, conversation)).toEqual([
      ['user', text],
      ['assistant', 'Hello'],
    ]);
    await socket.close();
  });

  test('a second message during a reply: both are answered, one after the other', async () => {
    const person = await portal().user();
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const [one, two] = [words(), words()];
    socket.send({ type: 'message', text: one });
    const first = await portal().asked(one);
    await portal().says(person, first, { kind: 'chunk', text: 'fir' });
    socket.send({ type: 'message', text: two });
    const second = await portal().asked(two);
    await portal().says(person, second, { kind: 'chunk', text: 'second' }, { kind: 'done' });
    await portal().says(person, first, { kind: 'chunk', text: 'st' }, { kind: 'done' });
    await socket.frame({ type: 'done', text: 'second' });
    expect(socket.frames).toEqual([
      { type: 'typing' },
      { type: 'chunk', text: 'fir' },
      { type: 'typing' },
      { type: 'chunk', text: 'st' },
      { type: 'done', text: 'first', conversation_id: conversation },
      { type: 'done', text: 'second', conversation_id: conversation },
    ]);
    await socket.close();
  });

  test.each([
    ['closed', (socket: JsonSocket) => socket.close()],
    ['closed with 1000', (socket: JsonSocket) => socket.close(1000)],
    ['lost', (socket: JsonSocket) => socket.drop()],
  ])('a reply that outlives its socket (%s) is recorded, and told to the next one', async (_, leave) => {
    const person = await portal().user();
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const text = words();
    socket.send({ type: 'message', text });
    const question = await portal().asked(text);
    await portal().says(person, question, { kind: 'chunk', text: 'so ' });
    await socket.frame({ type: 'chunk' });
    await leave(socket);
    await portal().gone(person);
    await portal().says(person, question, { kind: 'chunk', text: 'far' }, { kind: 'done' });
    expect(await portal().history(person, conversation)).toEqual([
      ['user', text],
      ['assistant', 'so far'],
    ]);
    const next = await portal().enter(person, conversation);
    await next.frame({ type: 'done' });
    expect(next.frames).toEqual([{ type: 'done', text: 'so far', conversation_id: conversation }]);
    await next.close();
  });

  test('P-WS-8 who comes back during a reply sees it from its beginning, then live', async () => {
    const person = await portal().user();
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const text = words();
    socket.send({ type: 'message', text });
    const question = await portal().asked(text);
    await portal().says(person, question, { kind: 'chunk', text: 'so ' });
    await socket.frame({ type: 'chunk' });
    await socket.drop();
    const next = await portal().enter(person, conversation);
    await next.frame({ type: 'chunk' });
    await portal().says(person, question, { kind: 'chunk', text: 'far' }, { kind: 'done' });
    await next.frame({ type: 'done' });
    expect(next.frames).toEqual([
      { type: 'typing' },
      { type: 'chunk', text: 'so ' },
      { type: 'chunk', text: 'far' },
      { type: 'done', text: 'so far', conversation_id: conversation },
    ]);
    await next.close();
  });

  test('P-WS-11 closing for the reason "cancel" cancels; what there was is kept', async () => {
    const person = await portal().user();
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const native = await portal().world.connect(person);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().says(person, await portal().asked(text), { kind: 'chunk', text: 'so f' });
    await socket.frame({ type: 'chunk' });
    await socket.close(1000, 'cancel');
    await native.frame('turn', ({ status }) => status === 'cancelled');
    expect(await portal().history(person, conversation)).toEqual([
      ['user', text],
      ['assistant', 'so f'],
    ]);
    await native.close();
  });

  test('what was said last arrives though the socket closed at once', async () => {
    const person = await portal().user();
    const socket = await portal().open(randomUUID());
    const text = words();
    socket.send(auth(person));
    socket.send({ type: 'message', text });
    await socket.close();
    expect(await portal().asked(text)).toMatchObject({ content: { text } });
  });

  test('an agent that fails is told of', async () => {
    const person = await portal().user();
    const socket = await portal().enter(person, randomUUID());
    const text = words();
    socket.send({ type: 'message', text });
    await portal().says(person, await portal().asked(text), {
      kind: 'error',
      label: 'Oops',
      message: 'The agent is asleep.',
    });
    await socket.frame({ type: 'error' });
    expect(socket.frames).toEqual([{ type: 'typing' }, { type: 'error', message: 'The agent is asleep.' }]);
    await socket.close();
  });
});

describe('P-DI-3 one truth', () => {
  test('a native tab and two portal tabs in one conversation see the same, each in its own words', async () => {
    const person = await portal().user();
    const conversation = randomUUID();
    const [one, other] = [
      await portal().enter(person, conversation),
      await portal().enter(person, conversation),
    ];
    const elsewhere = await portal().enter(person, randomUUID());
    const native = await portal().world.connect(person);
    const text = words();
    native.send({ type: 'message', client_id: 'c1', text, conversation });
    const question = await portal().asked(text);
    await portal().says(
      ...([person, question, { kind: 'chunk', text: 'a' }, { kind: 'chunk', text: 'b' }] as const),
      {
        kind: 'done',
        text: 'abc',
      },
    );
    const wanted = [
      { type: 'typing' },
      { type: 'chunk', text: 'a' },
      { type: 'chunk', text: 'b' },
      { type: 'done', text: 'abc', conversation_id: conversation },
    ];
    for (const socket of [one, other]) {
      await socket.frame({ type: 'done' });
      expect(socket.frames).toEqual(wanted);
    }
    const { turn } = question.context;
    await native.frame('turn', ({ status }) => status === 'completed');
    expect(native.all('message').map(({ text: said }) => said)).toEqual([text, 'abc']);
    expect(native.texts.get(turn)?.text).toBe('ab');

    one.send({ type: 'message', text: `${text} again` });
    expect(await native.frame('message', (frame) => frame.text === `${text} again`)).toMatchObject({
      ...{ role: 'user', sender: person.id, conversation },
    });
    await portal().says(person, await portal().asked(`${text} again`), { kind: 'done', text: 'yes' });
    await other.frame({ type: 'done', text: 'yes' });
    expect(elsewhere.frames).toEqual([]);
    for (const socket of [one, other, elsewhere]) await socket.close();
    await native.close();
  });

  test('P-WS-10 a question of the agent is answered by what the user writes', async () => {
    const person = await portal().user();
    const conversation = randomUUID();
    const socket = await portal().enter(person, conversation);
    const text = words();
    socket.send({ type: 'message', text });
    const question = await portal().asked(text);
    await portal().says(person, question, { kind: 'prompt', question: 'Which?', choices: ['red', 'blue'] });
    expect(await socket.frame({ type: 'done' })).toMatchObject({ text: 'Which?\n\n- red\n- blue' });
    socket.send({ type: 'message', text: 'Blue' });
    const answer = await portal().given(({ context }) => context.value === 'blue', 'an answer');
    expect(answer.context).toMatchObject({ type: 'answer', turn: question.context.turn });
    await portal().says(person, question, { kind: 'done', text: 'Blue it is.' });
    expect(await socket.frame({ type: 'done', text: 'Blue it is.' })).toBeDefined();
    await socket.close();
  });
});

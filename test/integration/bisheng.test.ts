import { describe, expect, test } from 'vitest';
import { type ChatFrame, FLOW, Page } from './bisheng-page.ts';
import { newChat, useBisheng, words } from './bisheng-world.ts';
import { mortal } from './mortal.ts';

/** Bisheng's chat pages, by a page from the reference alone, against a real app behind a webhook. */

const here = useBisheng();

describe('P-DI-2 an assistant', () => {
  test('a conversation: what goes to the app, what the page hears and shows, what its history says', async () => {
    const person = await here().world.person();
    const page = await Page.open(here().world, person, newChat());
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    expect(question).toMatchObject({
      ...{ type: 'message', conversation: page.chat, user_id: person.id },
      extra: { work_type: 'assistant', flow_id: FLOW, name: 'Helper' },
    });
    await here().says(
      question,
      { kind: 'chunk', text: 'Hm', reasoning: true },
      { kind: 'chunk', text: 'I look. ' },
      { kind: 'tool', tool: 'run1', name: 'search', status: 'running', args: { q: 'x' } },
      { kind: 'tool', tool: 'run1', name: 'search', status: 'completed', result: 'found' },
      { kind: 'chunk', text: 'There.' },
    );
    await page.until(() => page.writing === 'I look. There.' || undefined, 'the text');
    expect(page.processing).toBe(true);
    await here().says(question, { kind: 'done' });
    await page.came('processing/close');
    expect(page.heard.filter((what, n) => what !== page.heard[n - 1])).toEqual([
      ...[
        'processing/begin',
        'processing/start',
        'processing/stream',
        'processing/end',
        'tool/start',
        'tool/end',
      ],
      ...['processing/start', 'processing/stream', 'processing/end', 'answer/start', 'answer/end_cover'],
      'processing/close',
    ]);
    for (const frame of page.frames)
      expect(frame).toMatchObject({ user_id: person.id, flow_id: FLOW, chat_id: page.chat });
    expect(page.shown).toEqual([`user: ${text}`, 'answer: I look. There.']);
    const live = [...page.shown];
    await page.load();
    expect(page.shown).toEqual(live);
    expect(page.rows.at(-1)?.id).toBe((await page.came('answer/end_cover')).message_id);
    await page.socket.close();
  });

  test('the app fails: an error, and the socket is good for the next message', async () => {
    const page = await Page.open(here().world, await here().world.person(), newChat());
    const [one, two] = [words(), words()];
    page.say(one);
    await here().says(await here().asked(one), { kind: 'error', label: 'Oops', message: 'It is asleep.' });
    expect((await page.came('error/end')).message).toMatchObject({
      ...{ status_code: 10499, status_message: 'It is asleep.', data: { exception: 'It is asleep.' } },
    });
    await page.came('processing/close');
    page.say(two);
    await here().says(await here().asked(two), { kind: 'done', text: 'Awake.' });
    await page.came('answer/end');
    expect(page.shown).toEqual([`user: ${one}`, 'error: It is asleep.', `user: ${two}`, 'answer: Awake.']);
    await page.socket.close();
  });

  test('P-WS-11 stop: the app is told, the text is kept', async () => {
    const page = await Page.open(here().world, await here().world.person(), newChat());
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    await here().says(question, { kind: 'chunk', text: 'so f' });
    await page.came('processing/stream');
    page.send({ action: 'stop' });
    await page.came('processing/close');
    expect(page.processing).toBe(false);
    await here().app.first(({ type, turn }) => type === 'cancel' && turn === question.turn);
    expect((await page.history()).map(({ message, remark }) => [message, remark])).toEqual([
      [text, ''],
      ['so f', 'break_answer'],
    ]);
    await page.socket.close();
  });

  test('switching sessions: the other chat’s open reply is shown from its beginning', async () => {
    const person = await here().world.person();
    const [chat, other] = [newChat(), newChat()];
    const page = await Page.open(here().world, person, chat);
    const elsewhere = await Page.open(here().world, person, other);
    const text = words();
    elsewhere.say(text);
    const question = await here().asked(text);
    await here().says(question, { kind: 'chunk', text: 'so ' });
    await elsewhere.came('processing/stream');
    expect(page.frames).toEqual([]);
    page.send({ inputs: { data: { id: 'another', chatId: other } } });
    await page.came('processing/stream');
    await here().says(question, { kind: 'chunk', text: 'far' }, { kind: 'done' });
    await page.came('processing/close');
    expect(page.shown).toEqual(['answer: so far']);
    expect(page.frames.at(-1)).toMatchObject({ chat_id: other, flow_id: 'another' });
    for (const one of [page, elsewhere]) await one.socket.close();
  });

  test('without a chat, a page that leaves stops what it began', async () => {
    const person = await here().world.person();
    const page = new Page(here().world, person, '');
    await page.connect();
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    expect(question.conversation).toMatch(/^trial-/);
    await page.came('processing/begin');
    await page.socket.drop();
    await here().app.first(({ type, turn }) => type === 'cancel' && turn === question.turn);
  });
});

describe('P-WS-8 coming back', () => {
  test('in the middle of a reply: nothing is lost, nothing is there twice', async () => {
    const person = await here().world.person();
    const page = await Page.open(here().world, person, newChat());
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    await here().says(question, { kind: 'chunk', text: 'One ' });
    await page.came('processing/stream');
    await page.socket.drop();
    await here().gone(person);
    await here().says(question, { kind: 'chunk', text: 'two ' });
    await page.connect();
    await page.until(() => page.writing === 'One two ' || undefined, 'both words');
    await here().says(question, { kind: 'chunk', text: 'three' }, { kind: 'done' });
    await page.came('processing/close');
    expect(page.shown).toEqual([`user: ${text}`, 'answer: One two three']);
    await page.socket.close();
  });

  test('P-WS-9 after a reply that ended meanwhile: it is told, and known by its id to a page that has read it', async () => {
    const person = await here().world.person();
    const page = await Page.open(here().world, person, newChat());
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    await page.came('processing/begin');
    await page.socket.drop();
    await here().gone(person);
    await here().says(question, { kind: 'chunk', text: 'All ' }, { kind: 'done', text: 'All of it' });
    const fresh = await Page.open(here().world, person, page.chat);
    await page.connect();
    await fresh.until(() => fresh.shown.length === 2 || undefined, 'both rows');
    // The first session that came was told, the other one finds it in the history.
    await page.load();
    for (const one of [fresh, page]) {
      expect(one.shown).toEqual([`user: ${text}`, 'answer: All of it']);
      await one.socket.close();
    }
  });

  test('SIGKILL in the middle of a reply: the page ends with what there was, and a clear failure', async () => {
    const { world, reborn } = await mortal();
    const person = await world.person();
    const page = await Page.open(world, person, newChat());
    page.say('slow');
    await page.until(() => page.writing.length > 30 || undefined, 'some text');
    const { closed } = page.socket;
    await reborn();
    await closed;
    const shown = page.writing;
    await page.connect();
    await page.until(
      () => page.shown.some((row) => row.startsWith('error: ')) || undefined,
      'a failure',
      40_000,
    );
    await page.until(() => !page.processing || undefined, 'the end');
    const [question, answer = '', error, ...more] = page.shown;
    expect([question, more]).toEqual(['user: slow', []]);
    expect(shown.startsWith(answer.slice('answer: '.length).slice(0, 20))).toBe(true);
    expect(error).toMatch(/^error: ./);
    // The history tells the same.
    const live = page.shown.filter((row) => !row.startsWith('error: '));
    await page.load();
    expect(page.shown).toEqual(live);
    await page.socket.close();
  });
});

describe('P-DI-3 one truth', () => {
  test('a native tab and two pages in one conversation show the same, each in its own words', async () => {
    const person = await here().world.person();
    const chat = newChat();
    const [page, other] = [
      await Page.open(here().world, person, chat),
      await Page.open(here().world, person, chat),
    ];
    const native = await here().world.connect(person);
    const [one, two] = [words(), words()];
    page.say(one);
    const first = await here().asked(one);
    await here().says(first, { kind: 'chunk', text: 'a' }, { kind: 'done', text: 'abc' });
    await native.frame('turn', ({ status }) => status === 'completed');
    native.send({ type: 'message', client_id: 'c1', text: two, conversation: chat });
    const second = await here().asked(two);
    await here().says(second, { kind: 'chunk', text: 'd' }, { kind: 'done' });
    await here().world.outbound({
      ...{ channel: person.channel, kind: 'message', text: 'By the way', conversation: chat },
    });
    for (const tab of [page, other]) {
      await tab.until(() => tab.shown.at(-1) === 'answer: By the way' || undefined, 'the last word');
      expect(tab.shown).toEqual([
        ...[`user: ${one}`, 'answer: abc', `user: ${two}`, 'answer: d', 'answer: By the way'],
      ]);
    }
    await native.frame('message', ({ text }) => text === 'By the way');
    expect(native.all('message').map(({ text }) => text)).toEqual([one, 'abc', two, 'd', 'By the way']);
    const ids = native.all('message').map(({ id }) => id);
    expect((await page.history()).map(({ id }) => id)).toEqual(ids);
    expect(other.rows.map(({ id }) => id)).toEqual(ids);
    const { body } = await here().world.internal<{ sessions: { dialect: string }[] }>(
      `/users/${person.id}?tenant=${person.tenant}`,
    );
    expect(body.sessions.map(({ dialect }) => dialect).sort()).toEqual(['bisheng', 'bisheng', 'native']);
    for (const tab of [page, other]) await tab.socket.close();
    await native.close();
  });

  test('what is asked again goes to the app that was asked before', async () => {
    const person = await here().world.person();
    const page = await Page.open(here().world, person, newChat());
    const text = words();
    page.say(text);
    const { turn, extra } = await here().asked(text);
    await here().says(await here().asked(text), { kind: 'done', text: 'No.' });
    await page.came('processing/close');
    const { status, body } = await here().world.as<{ turn: string }>(
      person,
      `/api/turns/${turn}/regenerate`,
      {
        method: 'POST',
      },
    );
    expect(status).toBe(202);
    const again = (await here().app.first((one) => one.turn === body.turn)).body;
    expect(again.extra).toMatchObject(extra);
    await page.socket.close();
  });
});

describe('P-DI-2 a workflow', () => {
  const open = async () => Page.open(here().world, await here().world.person(), newChat(), 'workflow');

  test('init_data, input, nodes, a question, its answer, the output, the next input', async () => {
    const page = await open();
    await page.came('input/over');
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    expect(question.extra).toMatchObject({ work_type: 'workflow', flow_id: FLOW });
    await here().says(
      question,
      { kind: 'tool', tool: 'n1', name: 'llm', status: 'running' },
      { kind: 'chunk', text: 'Well, ' },
      { kind: 'prompt', question: 'Which?', choices: ['red', 'blue'] },
    );
    await page.came('output_with_choose_msg/over');
    page.answer('blue');
    const answer = await here().app.first(({ type, turn }) => type === 'answer' && turn === question.turn);
    expect(answer.body.extra).toMatchObject({ value: 'blue' });
    await here().says(
      question,
      { kind: 'tool', tool: 'n1', name: 'llm', status: 'completed' },
      { kind: 'chunk', text: 'blue.' },
      { kind: 'done' },
    );
    await page.came('input/over', 2);
    expect(page.heard).toEqual([
      ...['processing/begin', 'input/over', 'processing/begin', 'node_run/start', 'stream_msg/stream'],
      ...['output_with_choose_msg/over', 'node_run/end', 'stream_msg/stream', 'stream_msg/end', 'input/over'],
    ]);
    expect(page.shown).toEqual([`user: ${text}`, 'output_msg: Well, blue.']);
    const live = [...page.shown];
    await page.load();
    expect(page.shown).toEqual(live);
    await page.socket.close();
  });

  test('P-WS-10 who comes back gets the pending question again, and answers it', async () => {
    const page = await open();
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    await here().says(
      question,
      { kind: 'chunk', text: 'Well, ' },
      { kind: 'prompt', question: 'Which?', choices: ['red'] },
    );
    const asked = await page.came('output_with_choose_msg/over');
    await page.socket.drop();
    const before = page.frames.length;
    await page.connect();
    const again = await page.came('output_with_choose_msg/over', 2);
    expect(again.message_id).toBe(asked.message_id);
    await page.came('stream_msg/stream', 2);
    expect(page.heard.slice(before)).toEqual([
      ...['output_with_choose_msg/over', 'processing/begin', 'stream_msg/stream'],
    ]);
    page.answer('red');
    await here().app.first(({ type, turn }) => type === 'answer' && turn === question.turn);
    await here().says(question, { kind: 'chunk', text: 'red.' }, { kind: 'done' });
    await page.came('processing/close');
    expect(page.shown).toEqual([`user: ${text}`, 'output_msg: Well, red.']);
    await page.socket.close();
    await page.connect();
    await page.came('processing/close', 2);
    await page.socket.close();
  });

  test('an answer that does not fit: an error, and the question stays', async () => {
    const page = await open();
    const text = words();
    page.say(text);
    const question = await here().asked(text);
    await here().says(question, { kind: 'prompt', question: 'Which?', choices: ['red'] });
    await page.came('output_with_choose_msg/over');
    page.answer('green');
    const error = (await page.came('error/end')) as ChatFrame & { message: { data: { type: string } } };
    expect(error.message.data.type).toBe('bad_request');
    page.answer('red');
    await here().app.first(({ type, turn }) => type === 'answer' && turn === question.turn);
    await page.socket.close();
  });
});

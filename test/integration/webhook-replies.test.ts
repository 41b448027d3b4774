import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Answer, type Delivered, useUpstream } from './fake-upstream.ts';
import { all, complete, told } from './v1.ts';

/** An upstream that answers in the response of the webhook itself (P-UP-3). */

const { world, upstream } = useUpstream();

beforeAll(async () => {
  upstream().answer = (delivered) => (answers.get(delivered.body.text) ?? accept)(delivered);
});

const accept = ({ response }: Delivered): void => void response.end();
/** How the delivery with a certain text is answered. */
const answers = new Map<string, Answer>();

/** Has a new user say something that is answered so; gives the user's connection and turn. */
async function asked(answer: Answer) {
  const text = randomUUID();
  answers.set(text, answer);
  const person = await world().person();
  const client = await world().connect(person);
  client.send({ type: 'message', client_id: 'c', text });
  const { turn = '' } = await client.frame('ack');
  return { person, client, turn, text };
}

const json =
  (body: unknown, type = 'application/json') =>
  ({ response }: Delivered) => {
    response.setHeader('content-type', type).end(JSON.stringify(body));
  };
const lines =
  (...events: object[]) =>
  ({ response }: Delivered) => {
    response.setHeader('content-type', 'application/x-ndjson');
    response.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };

const ended = (client: Client, turn: string) =>
  client.frame('turn', (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status));
const replies = (client: Client) =>
  client.all('message').flatMap(({ role, text }) => (role === 'assistant' ? [text] : []));

describe('P-UP-3 an answer inside the response', () => {
  test('P-UP-3 {"events": […]} is applied, with channel and turn of the delivery where it names none', async () => {
    const { client, turn } = await asked(
      json({ events: [{ kind: 'chunk', text: 'In ' }, { kind: 'chunk', text: 'line' }, { kind: 'done' }] }),
    );
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(replies(client)).toEqual(['In line']);
  });

  test('P-UP-3 events that name no conversation belong to that of the delivery, those for another channel do not', async () => {
    const other = await world().person();
    const there = await world().connect(other);
    const text = randomUUID();
    answers.set(
      text,
      json({
        events: [
          { kind: 'typing', active: true },
          { kind: 'message', text: 'here' },
          { kind: 'message', text: 'named', conversation: 'mine' },
          { kind: 'prompt', prompt: randomUUID(), prompt_kind: 'text', question: 'Well?' },
          { channel: other.channel, kind: 'message', text: 'there' },
          { kind: 'done' },
        ],
      }),
    );
    const client = await world().connect(await world().person());
    client.send({ type: 'message', client_id: 'c', text, conversation: 'trip' });
    await ended(client, (await client.frame('ack')).turn ?? '');
    const said = client.all('message').map(({ text, conversation }) => [text, conversation]);
    expect(said.slice(1)).toEqual([
      ['here', 'trip'],
      ['named', 'mine'],
    ]);
    expect((await client.frame('typing')).conversation).toBe('trip');
    expect((await client.frame('prompt')).conversation).toBe('trip');
    expect((await there.frame('message')).conversation).toBe('default');
  });

  test('P-UP-3 NDJSON is shown as it arrives', async () => {
    const shown = Promise.withResolvers<void>();
    const { client, turn } = await asked(async ({ response }) => {
      response.setHeader('content-type', 'application/x-ndjson; charset=utf-8');
      response.write('{"kind":"chunk","text":"first"}\n{"kind":"chu');
      await shown.promise;
      response.end('nk","text":" second"}\n\n{"kind":"done"}');
    });
    expect((await client.frame('chunk')).text).toBe('first');
    shown.resolve();
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(replies(client)).toEqual(['first second']);
  });

  test('P-UP-3 a message with the turn is its reply, files come with it', async () => {
    const { client, turn } = await asked((delivered) =>
      lines(
        { kind: 'message', turn: delivered.body.turn, text: 'Look' },
        { kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: btoa('a') },
        { kind: 'done' },
      )(delivered),
    );
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(replies(client)).toEqual(['Look']);
    expect(await client.frame('file')).toMatchObject({ filename: 'a.txt', size: 1 });
  });

  test('P-UP-3 a completion is answered the same way', async () => {
    const text = randomUUID();
    answers.set(text, lines({ kind: 'chunk', text: 'Hi' }, { kind: 'done', finish_reason: 'length' }));
    const token = await world().token({ sub: 'ada' });
    const response = await complete(world(), token, {
      stream: true,
      messages: [{ role: 'user', content: text }],
    });
    expect(told(await all(response))).toMatchObject({ content: 'Hi', finishes: ['length'], ends: 1 });
  });

  test('P-UP-3 events for another channel go there, and not into the turn', async () => {
    const bystander = await world().person();
    const other = await world().connect(bystander);
    const { client, turn } = await asked(
      lines(
        { channel: bystander.channel, kind: 'message', text: 'for you' },
        { channel: 'sse:req_nothing', kind: 'message', text: 'for nobody' },
        { kind: 'chunk', text: 'for me' },
        { kind: 'done' },
      ),
    );
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(replies(client)).toEqual(['for me']);
    await other.frame('message');
    expect(replies(other)).toEqual(['for you']);
  });

  test.each([
    ['plain text', 'text/plain', '{"events":[{"kind":"done"}]}'],
    ['a JSON of its own', 'application/json', '{"ok":true}'],
    ['an empty body', 'application/json', ''],
  ])('P-UP-3 %s is only an acknowledgement', async (_, type, body) => {
    const { client, turn, person } = await asked(({ response }) => {
      response.setHeader('content-type', type).end(body);
    });
    await upstream().of(turn);
    await world().outbound({ channel: person.channel, kind: 'done', turn, text: 'later' });
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(replies(client)).toEqual(['later']);
  });
});

describe('P-UP-3 an answer that is broken', () => {
  const broken: [string, Answer][] = [
    [
      'a line that is no JSON',
      ({ response }) => {
        response.setHeader('content-type', 'application/x-ndjson');
        response.end('{"kind":"chunk","text":"kept"}\n{"kind":\n');
      },
    ],
    ['an event that is none', lines({ kind: 'chunk', text: 'kept' }, { kind: 'chunks', text: 'x' })],
    [
      'a connection that breaks',
      async ({ response }) => {
        response.setHeader('content-type', 'application/x-ndjson');
        response.write('{"kind":"chunk","text":"kept"}\n');
        await shown.promise;
        response.destroy();
      },
    ],
  ];
  let shown = Promise.withResolvers<void>();

  test.each(broken)('P-UP-3 %s fails the turn once, tells why, and keeps what came', async (_, answer) => {
    shown = Promise.withResolvers<void>();
    const { client, turn } = await asked(answer);
    await client.frame('chunk');
    shown.resolve();
    const { status, error } = await ended(client, turn);
    expect(status).toBe('failed');
    expect(error).toMatchObject({ type: 'upstream_stream', label: 'Broken answer' });
    expect(client.all('message').at(-1)).toMatchObject({ text: 'kept', partial: true });
    expect(await upstream().of(turn)).toHaveLength(1);
  });

  test('P-WS-11 a turn that is cancelled while it is answered breaks the answer off', async () => {
    const closed = Promise.withResolvers<void>();
    const { client, turn } = await asked(({ response }) => {
      response.setHeader('content-type', 'application/x-ndjson');
      response.write('{"kind":"chunk","text":"so far"}\n');
      response.on('close', closed.resolve);
    });
    await client.frame('chunk');
    client.send({ type: 'cancel', turn });
    expect(await ended(client, turn)).toMatchObject({ status: 'cancelled' });
    await closed.promise;
    const [, cancel] = await upstream().of(turn, 2);
    expect(cancel?.body.type).toBe('cancel');
  });
});

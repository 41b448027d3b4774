import { beforeAll, describe, expect, test } from 'vitest';
import { useUpstream } from './fake-upstream.ts';
import { all, apiKey, type Block, blocks, complete, requestIdOf, resume, send, told } from './v1.ts';
import { refused } from './world.ts';

/** `/v1` as bytes, with an upstream that answers by `POST /internal/outbound` (webhook mode). */

const LIMITS = JSON.stringify({ sse_heartbeat_ms: 200, completions_burst: 1_000 });

const { world, upstream } = useUpstream({ LIMITS });
let key: string;

beforeAll(async () => {
  key = await apiKey(world(), 'ada');
});

/** A stream that has begun, and how its upstream sends to it. */
async function begin(body: object = {}) {
  const response = await complete(world(), key, { stream: true, ...body });
  expect(response.status).toBe(200);
  const id = requestIdOf(response);
  const channel = `sse:${id}`;
  return {
    response,
    id,
    channel,
    say: (...events: object[]) => send(world(), ...events.map((event) => ({ channel, ...event }))),
  };
}

/** What the client of a whole stream is told. */
async function toldOf(...events: object[]) {
  const { response, say } = await begin();
  await say(...events);
  return told(await all(response));
}

describe('P-OA-3 the stream', () => {
  test('P-OA-3 begins with its headers and one comment, before the upstream has said anything', async () => {
    const { response } = await begin();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const { value } = await blocks(response).next();
    expect(value?.comment).toMatch(/^(?!data)./);
  });

  test('P-OA-3 is well formed down to every event', async () => {
    const { response, id, say } = await begin({ stream_options: { include_usage: true } });
    await say({ kind: 'chunk', text: 'I think', reasoning: true });
    await say({ kind: 'chunk', text: 'Hello' }, { kind: 'chunk', text: ' world' });
    await say({ kind: 'done', usage: { input_tokens: 3, output_tokens: 5 }, finish_reason: 'length' });
    const list = await Array.fromAsync(blocks(response));
    for (const { event, data, id, comment } of list) {
      expect(event).toBeUndefined();
      if (data === undefined) expect(comment).not.toMatch(/^data/);
      else expect(id).toMatch(/^\S+$/);
    }
    const data = list.filter((block) => block.data !== undefined);
    expect(new Set(data.map((block) => block.id)).size).toBe(data.length);
    expect(data.filter((block) => block.data === '[DONE]')).toEqual(data.slice(-1));

    const chunks = data.slice(0, -1).map((block) => JSON.parse(block.data ?? ''));
    for (const chunk of chunks) {
      const created = expect.any(Number);
      expect(chunk).toMatchObject({ id, object: 'chat.completion.chunk', model: 'any', created });
      for (const field of ['error', 'message', 'detail']) expect(chunk).not.toHaveProperty(field);
      for (const { index } of chunk.choices) expect(index).toBe(0);
    }
    const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
    expect(chunks.pop()).toMatchObject({ choices: [], usage });
    expect(chunks.pop().choices).toEqual([{ index: 0, delta: {}, finish_reason: 'length' }]);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', reasoning_content: 'I think' });
    expect(chunks.filter(({ choices }) => choices[0].delta.role)).toHaveLength(1);
    expect(chunks.every(({ choices }) => choices[0].finish_reason === null)).toBe(true);
  });

  test('P-OA-3 a turn without text still has a role, a finish reason and one end', async () => {
    const { response, say } = await begin();
    await say({ kind: 'done' });
    const list = await all(response);
    expect(list[0]?.data?.choices?.[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(told(list)).toMatchObject({ content: '', finishes: ['stop'], ends: 1, usages: [] });
  });

  const characters: [string, string][] = [
    ['control characters', '\u0000\u001f\u007f'],
    ['quotes and line ends', '"\\\n\r\n\u0085\u2028\u2029'],
    ['surrogate pairs', '𝄞😀x'],
    ['three-byte letters', '漢字'],
  ];
  test.each(characters)('P-OA-3 60,000 %s go in events under 64 KiB, unharmed', async (_, some) => {
    const text = some.repeat(Math.ceil(60_000 / some.length)).slice(0, 60_000);
    const { response, say } = await begin();
    await say({ kind: 'chunk', text }, { kind: 'done' });
    let content = '';
    for await (const { size, data } of blocks(response)) {
      expect(size).toBeLessThan(65_536);
      // Clients that split lines as Unicode does would cut an event at these.
      expect(data ?? '').not.toMatch(/[\u0085\u2028\u2029]/);
      if (data?.startsWith('{')) content += JSON.parse(data).choices[0].delta.content ?? '';
    }
    expect(content === text.toWellFormed()).toBe(true);
  });

  test('P-OA-3 a reply as long as it may be comes whole, live and read again', async () => {
    const text = Array.from({ length: 90_000 }, (_, i) => `${i}`.padStart(9))
      .join(' ')
      .padEnd(900_000, '.');
    const { response, id, say } = await begin();
    await say({ kind: 'chunk', text: text.slice(0, 600_000) }, { kind: 'chunk', text: text.slice(600_000) });
    await say({ kind: 'done' });
    const again = await resume(world(), key, id);
    for (const stream of [response, again]) {
      const { content, finishes } = told(await all(stream));
      expect(content === text).toBe(true);
      expect(finishes).toEqual(['stop']);
    }
  });

  test('P-OA-3 a silent stream has heartbeats', async () => {
    const { response, say } = await begin();
    let pings = 0;
    let last: Block | undefined;
    for await (const block of blocks(response)) {
      last = block;
      if (block.comment !== 'ping') continue;
      pings += 1;
      if (pings === 3) await say({ kind: 'done' });
    }
    expect(pings).toBeGreaterThanOrEqual(3);
    expect(last?.data).toBe('[DONE]');
  });

  test('P-OA-4 an error event of the upstream is told in the stream, which then ends cleanly', async () => {
    const error = { type: 'upstream_http', message: 'It broke.', hint: 'Try again.' };
    expect(
      await toldOf({ kind: 'chunk', text: 'So far' }, { kind: 'error', label: 'Model', ...error }),
    ).toMatchObject({
      content: 'So far',
      errors: [
        { message: 'It broke. Try again.', type: 'upstream_http', param: null, code: 'upstream_http' },
      ],
      finishes: [],
      ends: 1,
    });
  });
});

describe('P-UP-4 an upstream that sends to sse:{request_id}', () => {
  test('P-UP-4 needs no turn, and by NDJSON shares one result for its chunks', async () => {
    const { response, channel } = await begin();
    const { body } = await world().ndjson([
      { channel, kind: 'chunk', text: 'one ' },
      { channel, kind: 'chunk', text: 'two' },
      { channel, kind: 'done' },
    ]);
    expect(body.results).toMatchObject([{ count: 2, delivered: true }, { delivered: true }]);
    expect(told(await all(response))).toMatchObject({ content: 'one two', finishes: ['stop'], ends: 1 });
  });

  test('P-UP-4 a channel that was never made is not found, however its name was guessed', async () => {
    const { id, say } = await begin();
    await say({ kind: 'done' });
    const near = `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`;
    for (const guess of ['req_nothing', near, id.replace('req', 'turn')]) {
      expect(await world().outbound({ channel: `sse:${guess}`, kind: 'chunk', text: 'x' })).toMatchObject(
        refused(404, 'not_found', 'channel'),
      );
    }
  });

  test('P-WS-7 a stream that has ended takes nothing more', async () => {
    const { channel, say } = await begin();
    await say({ kind: 'done' });
    expect(await world().outbound({ channel, kind: 'chunk', text: 'late' })).toMatchObject(
      refused(410, 'turn_finished'),
    );
  });
});

describe('P-OA-5 what an OpenAI client cannot show becomes text', () => {
  test('P-OA-5 buttons are a list', async () => {
    const buttons = [
      { label: 'Tea', custom_id: 'tea', emoji: '🍵' },
      { label: 'Coffee', custom_id: 'coffee' },
    ];
    const { content } = await toldOf({ kind: 'message', text: 'Which?', buttons }, { kind: 'done' });
    expect(content).toBe('Which?\n\n- 🍵 Tea\n- Coffee');
  });

  test('P-OA-5 a file is a signed link that works, an image is an image', async () => {
    const { content } = await toldOf(
      { kind: 'chunk', text: 'Here:' },
      { kind: 'file', filename: 'a [1].txt', mimetype: 'text/plain', data: btoa('contents') },
      { kind: 'file', filename: 'b.png', mimetype: 'image/png', url: 'https://example.org/b.png' },
      { kind: 'chunk', text: 'Done.' },
      { kind: 'done' },
    );
    const [, link = ''] = /\(([^)]*)\)/.exec(content) ?? [];
    expect(content.replace(link, '…')).toBe(
      'Here:\n\n[a \\[1\\].txt](…)\n\n![b.png](https://example.org/b.png)\n\nDone.',
    );
    expect(link.startsWith(world().origin)).toBe(true);
    expect(await (await fetch(link)).text()).toBe('contents');
  });

  test('P-OA-5 an edit goes on from what was sent, or else follows it', async () => {
    const { response, say } = await begin();
    const [{ id } = {}] = await say({ kind: 'message', text: 'It is one' });
    await say({ kind: 'edit', id, text: 'It is one o’clock' });
    await say({ kind: 'edit', id, text: 'Two' });
    await say({ kind: 'chunk', text: ', I mean' }, { kind: 'done' });
    expect(told(await all(response)).content).toBe('It is one o’clock\n\n*Edited:* Two\n\n, I mean');
  });

  test('P-OA-5 a second message is not lost', async () => {
    const { content } = await toldOf(
      { kind: 'message', text: 'The first one, which is long' },
      { kind: 'message', text: 'The second' },
      { kind: 'done' },
    );
    expect(content).toBe('The first one, which is long\n\nThe second');
  });

  test('P-OA-5 a final text that is not what was streamed follows it whole', async () => {
    const { content } = await toldOf(
      { kind: 'chunk', text: 'A draft of the answer' },
      { kind: 'done', text: 'The answer' },
    );
    expect(content).toBe('A draft of the answer\n\nThe answer');
  });

  test.each([
    ['as it was streamed', 'The answer \n', 'The answer \n'],
    ['trimmed', 'The answer', 'The answer \n'],
    ['with more behind it', 'The answer \nand more', 'The answer \nand more'],
  ])('P-OA-5 a final text %s says nothing twice', async (_, text, content) => {
    const chunks = ['The ans', 'wer \n'].map((text) => ({ kind: 'chunk', text }));
    expect((await toldOf(...chunks, { kind: 'done', text })).content).toBe(content);
  });

  test('P-OA-5 a question and its choices are text', async () => {
    const choices = ['Fast', { value: 'slow', label: 'Slowly' }];
    const { content } = await toldOf({ kind: 'prompt', question: 'How?', choices }, { kind: 'done' });
    expect(content).toBe('How?\n\n- Fast\n- Slowly');
  });

  test('P-OA-2 with stream: false nothing has been sent yet: edits and final texts replace', async () => {
    const answer = complete(world(), key, { messages: [{ role: 'user', content: 'replace' }] });
    const { body } = await upstream().first(({ text }) => text === 'replace');
    const say = (event: object) => send(world(), { channel: body.channel_id, ...event });
    const [{ id } = {}] = await say({ kind: 'message', text: 'Draft' });
    await say({ kind: 'edit', id, text: 'Better', buttons: [{ label: 'OK', custom_id: 'ok' }] });
    await say({ kind: 'file', filename: 'b.png', mimetype: 'image/png', url: 'https://example.org/b.png' });
    await say({ kind: 'done', text: 'Final', finish_reason: 'length' });
    const content = 'Final\n\n- OK\n\n![b.png](https://example.org/b.png)';
    expect(await (await answer).json()).toMatchObject({
      choices: [{ finish_reason: 'length', message: { content } }],
    });
  });
});

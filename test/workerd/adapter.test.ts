import { exports } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { verifyWebhook, WebChatPlatform } from '../../src/adapter/index.ts';
import { sign } from '../../src/upstream/webhook.ts';
import { type Client, connect, openTurn, someone } from './harness.ts';

/** The SDK inside a Worker: its streams, its cryptography and its `fetch` are those of workerd. */

const SECRET = 'whsec_dGVzdC13ZWJob29rLXNlY3JldC10ZXN0LXdlYmhvb2s=';
const starwire = new WebChatPlatform({
  url: 'http://127.0.0.1:8787',
  token: 'test-internal-token-0001',
  secrets: [SECRET],
  fetch: (url, init) => exports.default.fetch(new Request(url, init)),
});

const ended = (client: Client) =>
  client.until((frame) => frame.type === 'turn' && frame.status === 'completed');

function delivered(fields: object): Request {
  const body = JSON.stringify({ tenant: 'default', text: 'hello', extra: {}, ...fields });
  const headers = sign([SECRET], crypto.randomUUID(), new Date(), body);
  return new Request('https://bot.example.com/', { method: 'POST', headers, body });
}

/** The work that a Worker is kept alive for. */
function execution() {
  const works: Promise<unknown>[] = [];
  return { waitUntil: (work: Promise<unknown>) => void works.push(work), done: () => Promise.all(works) };
}

describe('WebChatPlatform in a Worker', () => {
  test('P-UP-4 streams a reply over one request', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    const reply = starwire.stream({ channel: user, turn });
    await reply.text('From a ');
    await client.until((frame) => frame.type === 'chunk');
    await reply.text('Worker 😀');
    expect(await reply.done()).toMatchObject({ delivered: true });
    await ended(client);
    expect(client.textOf(turn)).toBe('From a Worker 😀');
    client.close();
  });

  test('P-UP-6 sends, edits and reads history', async () => {
    const user = someone();
    const id = await starwire.send(user, 'Helo');
    await starwire.editMessage(user, id, 'Hello');
    expect(await starwire.sendFile(user, new Uint8Array([1, 2]), 'a.bin')).toMatch(
      /^webchat:\/\/file\/.+\/a\.bin$/,
    );
    expect(await starwire.fetchHistory(user)).toMatchObject([
      { message_id: id, text: 'Hello', is_bot: true },
    ]);
  });

  test('P-UP-1 verifies a delivery, and no other', async () => {
    const message = delivered({ type: 'message', turn: 't' });
    await expect(verifyWebhook(message.clone(), { secrets: [SECRET] })).resolves.toMatchObject({ turn: 't' });
    const other = `whsec_${btoa('another secret of thirty-two byte')}`;
    await expect(verifyWebhook(message, { secrets: [other] })).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  test('P-UP-3 a handler accepts at once and replies by itself; the Worker is kept alive for it', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    const handler = starwire.handler(async ({ text }, reply) => {
      await reply.text(`You said: ${text}`);
    });
    const context = execution();
    const delivery = delivered({ type: 'message', channel_id: `webchat:${user}`, turn });
    expect((await handler(delivery.clone(), context)).status).toBe(202);
    // The same delivery again is accepted, and not answered again.
    expect((await handler(delivery, context)).status).toBe(202);
    await context.done();
    await ended(client);
    expect(client.textOf(turn)).toBe('You said: hello');
    client.close();
  });

  test('P-UP-3 a handler that yields streams its reply inside the response', async () => {
    const handler = starwire.handler(async function* ({ text }) {
      yield 'You said: ';
      yield { kind: 'tool', tool: 't', name: 'echo', status: 'completed' } as const;
      yield text;
    });
    const response = await handler(delivered({ type: 'message', channel_id: 'webchat:ada', turn: 't' }));
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = new TextDecoder()
      .decode(await response.arrayBuffer())
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['chunk', 'tool', 'chunk', 'done']);
  });

  test('P-WS-11 a cancellation aborts the reply that is under way', async () => {
    const user = someone();
    const turn = await openTurn(user);
    const errors: unknown[] = [];
    const aborted = Promise.withResolvers<void>();
    const handler = starwire.handler(
      async (_, reply) => {
        reply.signal.addEventListener('abort', () => aborted.resolve());
        await aborted.promise;
        await reply.text('too late');
      },
      { onError: (error) => errors.push(error) },
    );
    const context = execution();
    await handler(delivered({ type: 'message', channel_id: `webchat:${user}`, turn }), context);
    await handler(delivered({ type: 'cancel', channel_id: `webchat:${user}`, turn }), context);
    await context.done();
    expect(errors).toEqual([]);
  });

  test('P-UP-4 a bot that throws fails its turn, and tells its user nothing of why', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    const errors: unknown[] = [];
    const fault = new Error('password is hunter2');
    const handler = starwire.handler(
      async (_, reply) => {
        await reply.text('One moment');
        throw fault;
      },
      { onError: (error) => errors.push(error) },
    );
    const context = execution();
    await handler(delivered({ type: 'message', channel_id: `webchat:${user}`, turn }), context);
    await context.done();
    const failed = await client.until((frame) => frame.type === 'turn' && frame.status === 'failed');
    expect(JSON.stringify(failed)).not.toContain('hunter2');
    expect(errors).toEqual([fault]);
    expect(client.of('message').at(-1)).toMatchObject({ text: 'One moment', partial: true });
    client.close();
  });

  test('what is not POST is 405, what is not ours 401', async () => {
    const handler = starwire.handler(async () => undefined);
    expect((await handler(new Request('https://bot.example.com/'))).status).toBe(405);
    const unsigned = new Request('https://bot.example.com/', { method: 'POST', body: '{}' });
    expect((await handler(unsigned)).status).toBe(401);
  });
});

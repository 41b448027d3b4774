import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { contextOf } from '../../src/env.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { hubName } from '../../src/protocol/identity.ts';
import { Changes, chunk, post, request } from './harness.ts';

/** A dialect's socket while the objects behind it crash: the Worker keeps it, and goes on. */

/** How long a message may take to arrive. */
const PATIENCE_MS = 10_000;

interface JsonFrame {
  type: string;
  text?: string;
}

async function enter() {
  const [user, tenant, conversation] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const token = await contextOf(env).tokens.issue({ tenant, user, name: 'Ada', roles: [] }, 600);
  const { webSocket } = await request(`/chat/ws/${conversation}`, { headers: { upgrade: 'websocket' } });
  if (!webSocket) throw new Error('no socket');
  const frames: JsonFrame[] = [];
  const changes = new Changes();
  webSocket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)));
    changes.changed();
  });
  webSocket.accept();
  const send = (frame: object) => webSocket.send(JSON.stringify(frame));
  send({ type: 'auth', userId: user, tenantId: tenant, token });
  /** What the user has said, in order. */
  const said = async () => {
    const page = await env.USER_HUB.getByName(hubName(tenant, user)).history(conversation, undefined, 100);
    const { messages }: HistoryPage = JSON.parse(page);
    return messages.flatMap((row) => (row.type === 'message' && row.role === 'user' ? [row] : [])).reverse();
  };
  return {
    frames,
    send,
    until: (type: string, text?: string) =>
      changes.until(
        () => frames.find((frame) => frame.type === type && (text === undefined || frame.text === text)),
        () => `${type} ${text} among ${JSON.stringify(frames)}`,
      ),
    post: (...events: Parameters<typeof post>[1]) =>
      post(
        user,
        events.map((event) => ({ tenant, conversation, ...event })),
      ),
    said,
    /** The turn of the message with this text, once the hub has it. */
    async turnOf(text: string): Promise<string> {
      const since = Date.now();
      while (Date.now() < since + PATIENCE_MS) {
        const turn = (await said()).find((row) => row.text === text)?.turn;
        if (turn) return turn;
        // The Worker runs in the isolate of the test, which must give way.
        await scheduler.wait(1);
      }
      throw new Error(`in vain for ${text}, after ${JSON.stringify(frames)}`);
    },
    close: () => webSocket.close(1000),
  };
}

describe('P-DI-2 a dialect over crashes', () => {
  test('a reply goes on over a crash in the same socket: nothing lost, nothing twice', async () => {
    const client = await enter();
    client.send({ type: 'message', text: 'silent' });
    const turn = await client.turnOf('silent');
    await client.post(chunk(turn, 'one '));
    await client.until('chunk', 'one ');
    await abortAllDurableObjects();
    await client.post(chunk(turn, 'two', 4), { kind: 'done', turn });
    await client.until('done');
    expect(client.frames.filter(({ type }) => type !== 'chunk')).toMatchObject([
      { type: 'typing' },
      { type: 'done', text: 'one two' },
    ]);
    expect(client.frames.flatMap(({ type, text }) => (type === 'chunk' ? [text] : [])).join('')).toMatch(
      /^one (?:two)?$/,
    );
    client.close();
  });

  test('P-WS-5 what is said around crashes arrives, each once', async () => {
    const client = await enter();
    const texts = Array.from({ length: 6 }, (_, i) => `silent ${i}`);
    for (const [i, text] of texts.entries()) {
      client.send({ type: 'message', text });
      if (i % 2 === 0) await abortAllDurableObjects();
      const turn = await client.turnOf(text);
      await client.post({ kind: 'done', turn, text: `reply ${i}` });
      await client.until('done', `reply ${i}`);
    }
    expect((await client.said()).map(({ text }) => text)).toEqual(texts);
    expect(client.frames.flatMap(({ type, text }) => (type === 'done' ? [text] : []))).toEqual(
      texts.map((_, i) => `reply ${i}`),
    );
    client.close();
  });
});

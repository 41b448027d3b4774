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

/** What a client hears, whatever its words: that a reply begins (again), a piece of it, all of it. */
interface Heard {
  kind: 'begin' | 'piece' | 'whole';
  text: string;
}

interface Speaker {
  path: (conversation: string) => string;
  headers?: (token: string) => Record<string, string>;
  hello?: (who: { user: string; tenant: string; token: string }) => object;
  say: (text: string) => object;
  hear: (frame: Record<string, unknown>) => Heard | undefined;
}

const SPEAKERS: Record<string, Speaker> = {
  konstruct: {
    path: (conversation) => `/chat/ws/${conversation}`,
    hello: ({ user, tenant, token }) => ({ type: 'auth', userId: user, tenantId: tenant, token }),
    say: (text) => ({ type: 'message', text }),
    hear({ type, text = '' }) {
      if (type === 'typing') return { kind: 'begin', text: '' };
      if (type === 'chunk') return { kind: 'piece', text: String(text) };
      return type === 'done' ? { kind: 'whole', text: String(text) } : undefined;
    },
  },
  bisheng: {
    path: (conversation) => `/api/v1/assistant/chat/helper?chat_id=${conversation}`,
    headers: (token) => ({ cookie: `access_token_cookie=${token}` }),
    say: (input) => ({ inputs: { input } }),
    hear({ category, type, message }) {
      if (category === 'processing' && type === 'begin') return { kind: 'begin', text: '' };
      if (category === 'processing' && type === 'stream')
        return { kind: 'piece', text: (message as { content: string }).content };
      const answered = category === 'answer' && (type === 'end' || type === 'end_cover');
      return answered ? { kind: 'whole', text: String(message) } : undefined;
    },
  },
};

async function enter({ path, headers, hello, say, hear }: Speaker) {
  const [user, tenant, conversation] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const token = await contextOf(env).tokens.issue({ tenant, user, name: 'Ada', roles: [] }, 600);
  const { webSocket } = await request(path(conversation), {
    headers: { upgrade: 'websocket', ...headers?.(token) },
  });
  if (!webSocket) throw new Error('no socket');
  const heard: Heard[] = [];
  const changes = new Changes();
  webSocket.addEventListener('message', ({ data }) => {
    const said = hear(JSON.parse(String(data)));
    if (said) heard.push(said);
    changes.changed();
  });
  webSocket.accept();
  const send = (frame: object) => webSocket.send(JSON.stringify(frame));
  if (hello) send(hello({ user, tenant, token }));
  /** What the user has said, in order. */
  const said = async () => {
    const page = await env.USER_HUB.getByName(hubName(tenant, user)).history(conversation, undefined, 100);
    const { messages }: HistoryPage = JSON.parse(page);
    return messages.flatMap((row) => (row.type === 'message' && row.role === 'user' ? [row] : [])).reverse();
  };
  return {
    say: (text: string) => send(say(text)),
    until: (kind: Heard['kind'], text: string) =>
      changes.until(
        () => heard.find((one) => one.kind === kind && one.text === text),
        () => `${kind} ${text} among ${JSON.stringify(heard)}`,
      ),
    /** The pieces of the newest reply. */
    get pieces(): string {
      const begun = heard.findLastIndex(({ kind }) => kind === 'begin');
      return heard
        .slice(begun)
        .map(({ kind, text }) => (kind === 'piece' ? text : ''))
        .join('');
    },
    get wholes(): string[] {
      return heard.flatMap(({ kind, text }) => (kind === 'whole' ? [text] : []));
    },
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
      throw new Error(`in vain for ${text}, after ${JSON.stringify(heard)}`);
    },
    close: () => webSocket.close(1000),
  };
}

describe.each(Object.entries(SPEAKERS))('P-DI-2 %s over crashes', (_, speaker) => {
  test('a reply goes on over a crash in the same socket: nothing lost, nothing twice', async () => {
    const client = await enter(speaker);
    client.say('silent');
    const turn = await client.turnOf('silent');
    await client.post(chunk(turn, 'one '));
    await client.until('piece', 'one ');
    await abortAllDurableObjects();
    await client.post(chunk(turn, 'two', 4), { kind: 'done', turn });
    await client.until('whole', 'one two');
    expect(client.wholes).toEqual(['one two']);
    expect(client.pieces).toMatch(/^one (?:two)?$/);
    client.close();
  });

  test('P-WS-5 what is said around crashes arrives, each once', async () => {
    const client = await enter(speaker);
    const texts = Array.from({ length: 6 }, (__, i) => `silent ${i}`);
    for (const [i, text] of texts.entries()) {
      client.say(text);
      if (i % 2 === 0) await abortAllDurableObjects();
      const turn = await client.turnOf(text);
      await client.post({ kind: 'done', turn, text: `reply ${i}` });
      await client.until('whole', `reply ${i}`);
    }
    expect((await client.said()).map(({ text }) => text)).toEqual(texts);
    expect(client.wholes).toEqual(texts.map((__, i) => `reply ${i}`));
    client.close();
  });
});

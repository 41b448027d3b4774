import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { contextOf } from '../../src/env.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { hubName } from '../../src/protocol/identity.ts';
import { Changes, chunk, internal, post, request } from './harness.ts';

/** A dialect's connection while the objects behind it crash: the Worker keeps it, and goes on. */

/** How long a message may take to arrive. */
const PATIENCE_MS = 10_000;

/** What a client hears, whatever its words: that a reply begins (again), a piece of it, all of it. */
interface Heard {
  kind: 'begin' | 'piece' | 'whole';
  text: string;
}

interface Who {
  user: string;
  tenant: string;
  token: string;
  /** For clients that choose it. */
  conversation: string;
}

/** A client's side of a connection. */
interface Line {
  /** Where it was chosen for the client. */
  conversation?: string;
  say: (text: string) => void;
  close: () => void;
}

type Speaker = (who: Who, hear: (heard: Heard | undefined) => void) => Promise<Line>;

/** A dialect of sockets: where its client goes, what it says and what it makes of what it is told. */
function bySocket(of: {
  path: (conversation: string) => string;
  headers?: (token: string) => Record<string, string>;
  hello?: (who: Who) => object;
  say: (text: string) => object;
  hear: (frame: Record<string, unknown>) => Heard | undefined;
}): Speaker {
  return async (who, hear) => {
    const headers = { upgrade: 'websocket', ...of.headers?.(who.token) };
    const { webSocket } = await request(of.path(who.conversation), { headers });
    if (!webSocket) throw new Error('no socket');
    webSocket.addEventListener('message', ({ data }) => hear(of.hear(JSON.parse(String(data)))));
    webSocket.accept();
    const send = (frame: object) => webSocket.send(JSON.stringify(frame));
    if (of.hello) send(of.hello(who));
    return { say: (text) => send(of.say(text)), close: () => webSocket.close(1000) };
  };
}

const konstruct = bySocket({
  path: (conversation) => `/chat/ws/${conversation}`,
  hello: ({ user, tenant, token }) => ({ type: 'auth', userId: user, tenantId: tenant, token }),
  say: (text) => ({ type: 'message', text }),
  hear({ type, text = '' }) {
    if (type === 'typing') return { kind: 'begin', text: '' };
    if (type === 'chunk') return { kind: 'piece', text: String(text) };
    return type === 'done' ? { kind: 'whole', text: String(text) } : undefined;
  },
});

const bisheng = bySocket({
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
});

interface Ended {
  text?: string;
  session?: { messages: { content: string }[] };
}

/** Over HTTP: each message begins a run, which is read from a stream of its own. */
const hermes: Speaker = async ({ token }, hear) => {
  const headers = { authorization: `Bearer ${token}` };
  const post = async <T>(path: string, body: object): Promise<T> =>
    (await request(path, { method: 'POST', headers, body: JSON.stringify(body) })).json<T>();
  const { session } = await post<{ session: { session_id: string } }>('/api/session/new', {});
  const { session_id } = session;
  let left = false;
  const take = (block: string): void => {
    const [, event] = /^event: (.*)$/m.exec(block) ?? [];
    const { text = '', session: ended }: Ended = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}');
    if (event === 'context_status') hear({ kind: 'begin', text: '' });
    if (event === 'token') hear({ kind: 'piece', text });
    if (event === 'done') hear({ kind: 'whole', text: ended?.messages.at(-1)?.content ?? '' });
  };
  const run = async (message: string): Promise<void> => {
    const { stream_id } = await post<{ stream_id: string }>('/api/chat/start', { session_id, message });
    const { body } = await request(`/api/chat/stream?stream_id=${stream_id}`, { headers });
    let rest = '';
    for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (left) return;
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block);
    }
  };
  return {
    conversation: session_id,
    say: (text) => void run(text),
    close() {
      left = true;
    },
  };
};

async function someone(): Promise<Who> {
  const [user, tenant, conversation] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const token = await contextOf(env).tokens.issue({ tenant, user, name: 'Ada', roles: [] }, 600);
  return { user, tenant, token, conversation };
}

async function enter(speaker: Speaker, who?: Who) {
  const me = who ?? (await someone());
  const { user, tenant } = me;
  const heard: Heard[] = [];
  const changes = new Changes();
  const {
    conversation = me.conversation,
    say,
    close,
  } = await speaker(me, (said) => {
    if (said) heard.push(said);
    changes.changed();
  });
  /** What the user has said, in order. */
  const said = async () => {
    const page = await env.USER_HUB.getByName(hubName(tenant, user)).history(conversation, undefined, 100);
    const { messages }: HistoryPage = JSON.parse(page);
    return messages.flatMap((row) => (row.type === 'message' && row.role === 'user' ? [row] : [])).reverse();
  };
  return {
    say,
    close,
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
    /** Closes; resolves when no session is left. */
    async leave(): Promise<void> {
      close();
      while ((await internal<{ online: boolean }>(`/users/${user}?tenant=${tenant}`)).online)
        await scheduler.wait(1);
    },
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
  };
}

describe.each(Object.entries({ konstruct, bisheng, hermes }))('P-DI-2 %s over crashes', (_, speaker) => {
  test('a reply goes on over a crash in the same connection: nothing lost, nothing twice', async () => {
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
});

describe.each(Object.entries({ konstruct, bisheng }))('P-DI-2 a socket of %s over crashes', (_, speaker) => {
  test('P-WS-8 a connection after a crash begins with what is open, from its beginning, and goes on', async () => {
    const who = await someone();
    const before = await enter(speaker, who);
    before.say('silent');
    const turn = await before.turnOf('silent');
    await before.post(chunk(turn, 'one '));
    await before.until('piece', 'one ');
    await before.leave();
    await before.post(chunk(turn, 'two ', 4));
    await abortAllDurableObjects();
    const after = await enter(speaker, who);
    await after.until('piece', 'one two ');
    await after.post(chunk(turn, 'three', 8), { kind: 'done', turn });
    await after.until('whole', 'one two three');
    expect([before.wholes, after.wholes]).toEqual([[], ['one two three']]);
    after.close();
  });

  test('P-WS-9 what ended while nobody was there is told to the next connection, and to no other', async () => {
    const who = await someone();
    const before = await enter(speaker, who);
    before.say('silent');
    const turn = await before.turnOf('silent');
    await before.leave();
    await before.post(chunk(turn, 'one '), { kind: 'done', turn });
    await abortAllDurableObjects();
    const after = await enter(speaker, who);
    await after.until('whole', 'one ');
    const later = await enter(speaker, who);
    later.say('silent again');
    const next = await later.turnOf('silent again');
    await later.post({ kind: 'done', turn: next, text: 'two' });
    for (const client of [after, later]) await client.until('whole', 'two');
    expect([after.wholes, later.wholes]).toEqual([['one ', 'two'], ['two']]);
    for (const client of [after, later]) client.close();
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

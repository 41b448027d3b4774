import { abortAllDurableObjects, createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { appOf } from '../../../src/routes/root.ts';
import { Changes, chunk, connect, internal, openTurn, post, someone, tokenOf } from '../harness.ts';
import * as spoken from './spoken.ts';

/** A dialect that is added as every dialect is: by its own module and its line in the list. */
const app = appOf(spoken);

class Terminal {
  readonly lines: string[] = [];
  closed: number | undefined;
  readonly #socket: WebSocket;
  readonly #changes = new Changes();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.lines.push(String(data));
      this.#changes.changed();
    });
    socket.addEventListener('close', ({ code }) => {
      this.closed = code;
      this.#changes.changed();
    });
    socket.accept();
  }

  static async open(headers: Record<string, string> = {}): Promise<Terminal> {
    const request = new Request('http://127.0.0.1:8787/lines', {
      headers: { upgrade: 'websocket', ...headers },
    });
    const { webSocket } = await app.fetch(request, env, createExecutionContext());
    return new Terminal(webSocket ?? expect.fail('no socket'));
  }

  /** A terminal whose user has been let in. */
  static async of(user: string): Promise<Terminal> {
    const terminal = await Terminal.open();
    terminal.say(`hello ${await tokenOf(user)}`);
    return terminal;
  }

  say(line: string): void {
    this.#socket.send(line);
  }

  /** Resolves when a line has come. */
  async heard(line: string): Promise<void> {
    await this.#changes.until(
      () => this.lines.includes(line),
      () => `${line} among ${JSON.stringify(this.lines)}`,
    );
  }

  untilClosed(): Promise<number> {
    return this.#changes.until(
      () => this.closed,
      () => 'a close',
    );
  }

  close(): void {
    this.#socket.close(1000);
  }
}

interface Sessions {
  online: boolean;
  sessions: { dialect: string }[];
}

/** Resolves when no session of a user is left. */
async function gone(user: string): Promise<void> {
  while ((await internal<Sessions>(`/users/${user}`)).online);
}

describe('a fifth dialect', () => {
  test.each(['hello', 'hello nobody', 'good morning'])(
    'P-DI-1 who begins with "%s" is not let in',
    async (first) => {
      const terminal = await Terminal.open();
      terminal.say(first);
      expect(await terminal.untilClosed()).toBe(4001);
      expect(terminal.lines).toEqual([expect.stringMatching(/^! .*token/)]);
    },
  );

  test('P-DI-1 a token in the first frame, or in a cookie of its name; the session is listed under that name', async () => {
    const user = someone();
    const terminal = await Terminal.of(user);
    const other = await Terminal.open({ cookie: `lines=${await tokenOf(user)}` });
    other.say('hello');
    terminal.say('silent');
    await Promise.all([terminal.heard('> silent'), other.heard('> silent')]);
    const { sessions } = await internal<Sessions>(`/users/${user}`);
    expect(sessions.map(({ dialect }) => dialect)).toEqual(['lines', 'lines']);
    expect((await connect(user)).of('message')).toEqual([]);
  });

  test('P-WS-1 a page of a foreign origin is not let in', async () => {
    const headers = { upgrade: 'websocket', origin: 'https://elsewhere.example' };
    const request = new Request('http://127.0.0.1:8787/lines', { headers });
    expect((await app.fetch(request, env, createExecutionContext())).status).toBe(403);
  });

  test('P-DI-3 it sees what a native session sees, each in its own words', async () => {
    const user = someone();
    const native = await connect(user);
    const terminal = await Terminal.of(user);
    terminal.say('silent');
    const { turn } = await native.until((frame) => frame.type === 'message');
    await post(user, [chunk(turn ?? '', 'one\ntw')]);
    await terminal.heard('one');
    await post(user, [chunk(turn ?? '', 'o'), { kind: 'done', turn }]);
    await terminal.heard('two');
    native.send({ type: 'message', client_id: 'c1', text: 'silent, from a tab' });
    await terminal.heard('> silent, from a tab');
    expect(terminal.lines).toEqual(['> silent', 'one', 'two', '> silent, from a tab']);
    expect(native.of('message').map(({ text }) => text)).toEqual([
      'silent',
      'one\ntwo',
      'silent, from a tab',
    ]);
  });

  test('P-DI-2 crashes of its object: the same socket goes on, nothing lost and nothing twice', async () => {
    const user = someone();
    const terminal = await Terminal.of(user);
    terminal.say('silent');
    await terminal.heard('> silent');
    const turn = await openTurn(user);
    await post(user, [chunk(turn, 'one\n')]);
    await terminal.heard('one');
    await abortAllDurableObjects();
    terminal.say('silent again');
    await terminal.heard('> silent again');
    await post(user, [chunk(turn, 'two\n', 4)]);
    await abortAllDurableObjects();
    await post(user, [
      { kind: 'done', turn },
      { kind: 'message', text: 'the last one' },
    ]);
    await terminal.heard('the last one');
    expect(terminal.lines).toEqual(['> silent', 'one', '> silent again', 'two', 'the last one']);
  });

  test('P-WS-8, P-WS-9 a connection after a crash begins with what was written to nobody, and with what is open', async () => {
    const user = someone();
    const before = await Terminal.of(user);
    const turn = await openTurn(user);
    await post(user, [chunk(turn, 'one\n')]);
    await before.heard('one');
    before.close();
    await gone(user);
    await post(user, [{ kind: 'message', text: 'while away' }, chunk(turn, 'two\n', 4)]);
    await abortAllDurableObjects();
    const after = await Terminal.of(user);
    await after.heard('two');
    await post(user, [
      { kind: 'done', turn },
      { kind: 'message', text: 'the last one' },
    ]);
    await after.heard('the last one');
    expect(after.lines).toEqual(['while away', 'one', 'two', 'the last one']);
  });
});

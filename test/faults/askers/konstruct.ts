import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type JsonFrame, JsonSocket } from '../../integration/json-socket.ts';
import { auth } from '../../integration/portal.ts';
import type { World } from '../../integration/world.ts';
import { run_ms } from '../battered.ts';
import { insist } from '../post.ts';
import type { Random } from '../random.ts';
import { Asker, longLived, unlessLost } from './asker.ts';

interface Row {
  role: string;
  content: string;
}

/** A person at the Konstruct portal, which reads its conversation again when its connection is lost. Nothing there has an id. */
export class KonstructAsker extends Asker {
  readonly #conversation = randomUUID();
  /** The connection that is open, and those that were. */
  #socket: JsonSocket | undefined;
  readonly #connections: JsonFrame[][] = [];

  static async of(world: World, random: Random): Promise<KonstructAsker> {
    const claims = { sub: randomUUID(), tenant: randomUUID(), roles: ['customer_operator'] };
    return new KonstructAsker(world, await longLived(world, claims), random);
  }

  protected ask(text: string): Promise<string> {
    return insist(async () => {
      const reply = await unlessLost(() => this.#converse(text));
      if (reply === undefined) this.#socket = undefined;
      return reply;
    });
  }

  async #converse(text: string): Promise<string | undefined> {
    const rows = this.#socket ? [] : await this.#rows();
    this.#socket ??= await this.#open();
    const socket = this.#socket;
    const at = rows.findIndex(({ content }) => content === text);
    const kept = at < 0 ? undefined : rows[at + 1]?.content;
    if (kept !== undefined) {
      this.count('found');
      return kept;
    }
    if (at < 0) socket.send({ type: 'message', text });
    const pieces = this.cutAfter();
    const before = socket.frames.length;
    const told = () =>
      socket.frames.find(({ type, text: said }) => type === 'done' && String(said).startsWith(text));
    const cut = () => (chunks(socket.frames.slice(before)) >= pieces ? null : undefined);
    const done = await socket.until(() => told() ?? cut(), `the reply to ${text}`, run_ms);
    if (done !== null) return String(done.text);
    this.count('cuts');
    await socket.drop();
    await this.gone();
    return undefined;
  }

  async #open(): Promise<JsonSocket> {
    const socket = await JsonSocket.open(this.world.origin, `/chat/ws/${this.#conversation}`);
    socket.send(auth(this.person));
    this.count('connections');
    this.#connections.push(socket.frames);
    return socket;
  }

  /** The newest of the conversation, oldest first. */
  async #rows(): Promise<Row[]> {
    const path = `/api/portal/chat/conversations/${this.#conversation}/messages`;
    const { status, body } = await this.world.as<{ messages: Row[] }>(this.person, path);
    if (status === 404) return [];
    expect(status).toBe(200);
    return body.messages;
  }

  expectExact(): void {
    const replies = this.asked.map(({ reply }) => reply);
    const places: number[] = [];
    for (const frames of this.#connections) {
      let written = '';
      for (const { type, text } of frames) {
        expect(type).toMatch(/^(?:typing|chunk|done)$/);
        if (type === 'chunk') written += String(text);
        if (type !== 'done') continue;
        // What was written piece by piece is how the reply begins.
        expect(String(text).slice(0, written.length)).toBe(written);
        written = '';
        places.push(replies.indexOf(String(text)));
      }
    }
    // Each once, in the order of the questions; those in between were read.
    expect(places).not.toContain(-1);
    expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
  }

  expectKept(): Promise<void> {
    return this.expectHistory(this.#conversation);
  }
}

function chunks(frames: readonly JsonFrame[]): number {
  return frames.filter(({ type }) => type === 'chunk').length;
}

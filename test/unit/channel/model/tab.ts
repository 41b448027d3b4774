import type { Command } from '../../../../src/protocol/client-frames.ts';
import type { ServerFrame } from '../../../../src/protocol/server-frames.ts';
import { ModelClient } from './client.ts';
import type { How, Line, Surroundings } from './world.ts';

const SAVED = 5;
const ALLOWED = new Set(['rate_limited', 'turn_finished', 'not_found', 'already_answered', 'bad_request']);

type Send = Extract<Command, { client_id: string }>;

/** A tab: a client, its connection, and the outbox that it sends again until each entry is acknowledged or refused. */
export class Tab {
  readonly #around: Surroundings;
  client = new ModelClient();
  #line: Line | undefined;
  #dead = false;
  #paused = false;
  #saved: ModelClient[] = [];
  readonly outbox = new Map<string, Send>();
  readonly #sent: Send[] = [];
  readonly #mismatched = new Set<string>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get connected(): boolean {
    return this.#line?.open === true && !this.#dead;
  }

  async attach(from: 'cursor' | 'earlier' | 'nothing' | 'elsewhere', how: How): Promise<void> {
    this.drop();
    this.#paused = false;
    if (from === 'nothing') this.client = new ModelClient();
    if (from === 'earlier') this.client = this.#saved.shift()?.clone() ?? this.client;
    const position = this.client.position();
    if (from === 'elsewhere' && position.cursor) position.cursor.epoch = 'elsewhere';
    const unwritten = position.cursor ? undefined : this.#around.unwritten?.();
    this.#line = await this.#around.connect(position, how);
    this.#dead = false;
    if (unwritten) {
      this.readAll();
      const given = [...this.client.received.keys()];
      if (String(given) !== String(unwritten))
        throw new Error(`P-WS-9: without a cursor ${given} were given, and ${unwritten} had gone to nobody`);
    }
    for (const command of this.outbox.values()) this.#line.send(command);
  }

  command(command: Command, lost: boolean): void {
    if ('client_id' in command) {
      this.outbox.set(command.client_id, command);
      this.#sent.push(command);
    }
    if (!this.connected || !this.#line) return;
    if (!lost) return this.#line.send(command);
    this.#line.sendAndLose(command);
    this.#dead = true;
  }

  /** An earlier send again, as it was or (where it was acknowledged) with other content. */
  repeat(nth: number, changed: boolean): void {
    const earlier = this.#sent[nth % Math.max(1, this.#sent.length)];
    if (!earlier || !this.connected || !this.#line) return;
    const { client_id } = earlier;
    if (!changed) {
      this.outbox.set(client_id, earlier);
      return this.#line.send(earlier);
    }
    if (earlier.type !== 'message' || !this.client.acks.has(client_id) || this.outbox.has(client_id)) return;
    this.#mismatched.add(client_id);
    this.#line.send({ ...earlier, text: `${earlier.text}!` });
  }

  save(): void {
    if (this.client.cursor !== undefined && this.client.ready) this.#saved.push(this.client.clone());
    if (this.#saved.length > SAVED) this.#saved.shift();
  }

  /** From here on it reads nothing; what it does not read is lost with its connection. */
  pause(): void {
    this.#paused = true;
  }

  drop(): void {
    this.#line?.drop();
    this.#line = undefined;
    this.#dead = false;
  }

  die(): void {
    if (!this.#line) return;
    this.#line.die();
    this.#dead = true;
  }

  readAll(): void {
    if (this.#paused || !this.#line || this.#dead) return;
    for (const frame of this.#line.read()) this.#read(frame);
  }

  #read(frame: ServerFrame): void {
    if (frame.type === 'batch') {
      for (const one of frame.frames) this.#read(one);
      return;
    }
    if (frame.type === 'ack') {
      const before = this.client.acks.get(frame.client_id);
      if (
        before &&
        !(frame.duplicate && frame.id === before.id && frame.seq === before.seq && frame.turn === before.turn)
      )
        throw new Error(`acknowledged as ${JSON.stringify(before)} and as ${JSON.stringify(frame)}`);
      this.outbox.delete(frame.client_id);
    }
    if (frame.type === 'error') {
      const expected = this.#mismatched.delete(frame.client_id ?? '')
        ? frame.code === 'idempotency_mismatch'
        : ALLOWED.has(frame.code);
      if (!expected) throw new Error(`refused: ${JSON.stringify(frame)}`);
      this.outbox.delete(frame.client_id ?? '');
    }
    this.client.take(frame);
  }
}

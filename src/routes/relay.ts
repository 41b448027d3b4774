import { type AttachRequest, attachHeaders } from '../objects/attach-request.ts';
import { creditFrame } from '../objects/relay-frames.ts';
import type { Command } from '../protocol/client-frames.ts';
import { formatCursor, formatLengths, type Lengths, type Position } from '../protocol/cursor.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import { CREDIT_STEPS } from '../protocol/limits.ts';
import type { ServerFrame } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import { utf8Bytes } from '../protocol/text.ts';
import { Unanswered } from './unanswered.ts';

/** An object that takes internal sockets. */
export interface RelayTarget {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

const RECONNECTS = 8;
const RECONNECT_MS = 100;

/** A frame and where the stream stands after it. */
export interface Relayed {
  frame: ServerFrame;
  json: string;
}

/**
 * The frames of a channel, read over an internal socket (DESIGN 2): the object sleeps between them, sends only within the
 * credit that reading gives, and after a reset of the object the relay goes on from where it stood. Commands go the other way; those that the
 * object had not answered go again after a reset, and count once (P-WS-5).
 */
export class Relay {
  /** Given anew for each connection: a stub that saw its object reset stays broken. */
  readonly #target: () => RelayTarget;
  readonly #attach: AttachRequest;
  #epoch: string | undefined;
  /** The epoch of the journal, as `welcome` told it. */
  #told: string | undefined;
  #seq = 0;
  readonly #turns = new Map<string, Lengths>();
  /** The reply's id of each open turn. */
  readonly #replies = new Map<string, string>();
  #socket: WebSocket | undefined;
  #queue: Relayed[] = [];
  #wake = Promise.withResolvers<void>();
  #ended: 'closed' | 'lost' | undefined;
  /** This side wants no more. */
  #left = false;
  /** How the object ended the session. */
  #ending = { code: CLOSE.normal as number, reason: '' };
  #read = 0;
  readonly #unanswered = new Unanswered();
  /** Frames of a connection's beginning that the reader has had. */
  readonly #greeted = new Set<'welcome' | 'ready'>();

  constructor(target: () => RelayTarget, attach: AttachRequest, position: Position) {
    this.#target = target;
    this.#attach = attach;
    this.#epoch = position.cursor?.epoch;
    this.#seq = position.cursor?.seq ?? 0;
    for (const [turn, lengths] of position.turns) this.#turns.set(turn, lengths);
  }

  /** Where a client stands that has read everything so far. */
  get position(): Position {
    return {
      ...(this.#epoch === undefined ? {} : { cursor: { epoch: this.#epoch, seq: this.#seq } }),
      turns: this.#turns,
    };
  }

  /** How the object closed. */
  get ending(): { code: number; reason: string } {
    return this.#ending;
  }

  /** Whether every command has been answered. */
  get idle(): boolean {
    return this.#unanswered.none;
  }

  /** Gives the object a command; before it is connected, as soon as it is. Its answer is a frame. */
  send(command: Command): void {
    this.#unanswered.add(command);
    if (this.#socket) write(this.#socket, command);
  }

  /** The frames until the object closes or `close` is called; throws `internal` when it cannot be reached any more. */
  async *frames(): AsyncGenerator<Relayed> {
    let failures = 0;
    try {
      while (!this.#left) {
        try {
          await this.#connect();
          for await (const relayed of this.#drain()) {
            failures = 0;
            yield relayed;
          }
        } catch (error) {
          if (error instanceof StarwireError) throw error;
        }
        if (this.#left || this.#ended === 'closed') return;
        // The object was reset or deployed: the same stream goes on by cursor.
        if (failures >= RECONNECTS) throw new StarwireError('internal', 'the stream was lost');
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS * 2 ** failures));
        failures += 1;
      }
    } finally {
      this.close();
    }
  }

  async #connect(): Promise<void> {
    const { cursor, turns } = this.position;
    const attach = {
      ...this.#attach,
      ...(cursor ? { cursor: formatCursor(cursor), turns: formatLengths(turns) } : {}),
    };
    const response = await this.#target().fetch('https://object/attach', { headers: attachHeaders(attach) });
    const socket = response.webSocket;
    if (response.status === 404) throw new StarwireError('not_found', 'there is no such stream');
    if (!socket) throw new Error('the object took no socket');
    this.#ended = undefined;
    this.#queue = [];
    this.#read = 0;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string' || this.#socket !== socket) return;
      this.#queue.push({ frame: JSON.parse(data), json: data });
      this.#wake.resolve();
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (this.#socket === socket) this.#ending = { code, reason };
      this.#end(socket, code === 1006 || code === CLOSE.restart ? 'lost' : 'closed');
    });
    socket.addEventListener('error', () => this.#end(socket, 'lost'));
    socket.accept();
    if (this.#left) return this.close();
    for (const frame of this.#unanswered.send((command) => write(socket, command)))
      this.#queue.push({ frame, json: JSON.stringify(frame) });
  }

  #end(socket: WebSocket, how: 'closed' | 'lost'): void {
    if (this.#socket !== socket) return;
    this.#ended ??= how;
    this.#socket = undefined;
    this.#wake.resolve();
  }

  async *#drain(): AsyncGenerator<Relayed> {
    for (;;) {
      const next = this.#queue.shift();
      if (next) {
        this.#unanswered.see(next.frame);
        this.#advance(next.frame);
        if (!this.#isRepeated(next.frame)) yield next;
        this.#credit(next.json);
        continue;
      }
      if (this.#ended) return;
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }

  /** After a re-attachment the client is in the middle of its stream: it was welcomed before. */
  #isRepeated({ type }: ServerFrame): boolean {
    if (type !== 'welcome' && type !== 'ready') return false;
    const repeated = this.#greeted.has(type);
    this.#greeted.add(type);
    return repeated;
  }

  #advance(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        // Without a cursor the place is known only with the first numbered frame.
        if (frame.resumed) this.#epoch = frame.epoch;
        this.#told = frame.epoch;
        return;
      case 'reset':
        this.#epoch = frame.epoch;
        this.#seq = frame.seq;
        this.#turns.clear();
        // What follows is a new beginning, and its end is told.
        this.#greeted.delete('ready');
        break;
      case 'chunk': {
        const known = this.#turns.get(frame.turn) ?? { text: 0, reasoning: 0 };
        this.#turns.set(frame.turn, { ...known, [frame.kind]: frame.offset + frame.text.length });
        break;
      }
      case 'message': {
        // A reply that came as one message while its turn goes on: its text has been shown.
        const known = frame.turn === undefined ? undefined : this.#turns.get(frame.turn);
        if (frame.turn === undefined || !known || this.#replies.get(frame.turn) !== frame.id) break;
        this.#turns.set(frame.turn, {
          text: frame.text.length,
          reasoning: Math.max(known.reasoning, frame.reasoning?.length ?? 0),
        });
        break;
      }
      case 'edit':
        // A reply that came as one message and has changed: what follows counts from its new end.
        for (const [turn, reply] of this.#replies) {
          const known = this.#turns.get(turn);
          if (reply === frame.id && known) this.#turns.set(turn, { ...known, text: frame.text.length });
        }
        break;
      case 'turn':
        this.#replies.set(frame.turn, frame.message);
        if (isTerminal(frame.status)) {
          this.#turns.delete(frame.turn);
          this.#replies.delete(frame.turn);
        } else if (!this.#turns.has(frame.turn)) this.#turns.set(frame.turn, { text: 0, reasoning: 0 });
        break;
    }
    if (!('seq' in frame) || frame.type === 'ack' || 'snapshot' in frame) return;
    this.#epoch ??= this.#told;
    this.#seq = frame.seq;
  }

  /** Called once the consumer has taken a frame: the object may send as many bytes more. */
  #credit(json: string): void {
    const window = this.#attach.credit ?? 0;
    this.#read += utf8Bytes(json);
    if (this.#read < window / CREDIT_STEPS || this.#ended) return;
    this.#socket?.send(creditFrame(this.#read));
    this.#read = 0;
  }

  /** The client has gone: the object is told at once. */
  close(): void {
    this.#left = true;
    this.#ended ??= 'closed';
    this.#wake.resolve();
    if (this.#socket) shut(this.#socket);
    this.#socket = undefined;
  }
}

/** Writes to a socket that may just have been lost: whoever connects again sends what was not answered. */
function write(socket: WebSocket, command: Command): void {
  try {
    socket.send(JSON.stringify(command));
  } catch {
    // It has been lost.
  }
}

function shut(socket: WebSocket): void {
  try {
    socket.close(CLOSE.normal, 'client gone');
  } catch {
    // It had been closed from the other side.
  }
}

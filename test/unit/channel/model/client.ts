import type { Lengths, Position } from '../../../../src/protocol/cursor.ts';
import type {
  AckFrame,
  ChunkFrame,
  DurableFrame,
  ErrorFrame,
  MessageFrame,
  PromptFrame,
  ServerFrame,
  TurnFrame,
} from '../../../../src/protocol/server-frames.ts';
import { isTerminal } from '../../../../src/protocol/server-frames.ts';

interface Draft {
  message: string;
  text: string;
  reasoning: string;
}

/**
 * A client that folds frames exactly as PROTOCOL.md, section 2 says, and throws at the first thing that a client must never
 * see: a gap, a repetition, a second terminal, text that does not fit. It knows nothing of how the server works.
 */
export class ModelClient {
  epoch = '';
  /** The newest durable frame; undefined before there is any and before `ready`. */
  cursor: number | undefined;
  ready = false;
  /** Durable frames as they came, by seq. */
  received = new Map<number, string>();
  /** Nothing up to here was ever promised to this client. */
  base = 0;
  drafts = new Map<string, Draft>();
  finished = new Set<string>();
  prompts = new Map<string, string>();
  messages = new Map<string, string>();
  acks = new Map<string, AckFrame>();
  errors: ErrorFrame[] = [];
  #asked = false;
  /** The cursor was not taken: a `reset` must come before anything else. */
  #unplaced = false;
  #named: Set<string> | undefined;

  clone(): ModelClient {
    const copy = new ModelClient();
    copy.epoch = this.epoch;
    copy.cursor = this.cursor;
    copy.received = new Map(this.received);
    copy.base = this.base;
    copy.drafts = new Map([...this.drafts].map(([turn, draft]) => [turn, { ...draft }]));
    copy.finished = new Set(this.finished);
    copy.prompts = new Map(this.prompts);
    copy.messages = new Map(this.messages);
    copy.acks = new Map(this.acks);
    return copy;
  }

  /** What it asks for when it connects. */
  position(): Position {
    this.ready = false;
    this.#asked = this.cursor !== undefined;
    if (this.cursor === undefined) return { turns: new Map() };
    const turns = new Map<string, Lengths>(
      [...this.drafts].map(([turn, { text, reasoning }]) => [
        turn,
        { text: text.length, reasoning: reasoning.length },
      ]),
    );
    return { cursor: { epoch: this.epoch, seq: this.cursor }, turns };
  }

  take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        if (this.epoch !== frame.epoch && frame.resumed && this.cursor !== 0)
          throw new Error(`resumed in another epoch: ${this.epoch} and ${frame.epoch}`);
        this.epoch = frame.epoch;
        this.#named = frame.resumed ? undefined : new Set();
        if (frame.resumed && !this.#asked) throw new Error('resumed though no cursor was given');
        this.#unplaced = this.#asked && !frame.resumed;
        return;
      case 'reset':
        if (!this.#unplaced) throw new Error('a reset though the cursor was taken, or none was given');
        this.#unplaced = false;
        this.cursor = frame.seq;
        this.base = frame.seq;
        this.prompts.clear();
        return;
      case 'ready':
        return this.#isReady(frame.seq);
      case 'chunk':
        return this.#chunk(frame);
      case 'ack':
        this.acks.set(frame.client_id, frame);
        return;
      case 'error':
        this.errors.push(frame);
        return;
      case 'typing':
        return;
      case 'batch':
        for (const one of frame.frames) this.take(one);
        return;
      case 'turn':
      case 'prompt':
        if (frame.snapshot) return this.#snapshot(frame);
        return this.durable(frame);
      default:
        return this.durable(frame);
    }
  }

  #isReady(seq: number): void {
    if (this.ready) throw new Error('ready twice');
    if (this.#unplaced) throw new Error('ready though the cursor was not taken');
    if (this.cursor === undefined) {
      this.cursor = seq;
      this.base = seq;
    }
    if (this.cursor !== seq) throw new Error(`ready at ${seq} after ${this.cursor}`);
    if (this.#named)
      for (const turn of [...this.drafts.keys()]) if (!this.#named.has(turn)) this.drafts.delete(turn);
    this.ready = true;
  }

  /** An entry of the journal in its turn. */
  durable(frame: DurableFrame): void {
    const { seq } = frame;
    if (this.#unplaced) throw new Error(`entry ${seq} though the cursor was not taken`);
    if (this.cursor === undefined) this.base = seq - 1;
    else if (seq !== this.cursor + 1) throw new Error(`entry ${seq} after ${this.cursor}`);
    this.cursor = seq;
    this.received.set(seq, JSON.stringify(frame));
    switch (frame.type) {
      case 'message':
        return this.#message(frame);
      case 'edit':
        this.messages.set(frame.id, frame.text);
        for (const draft of this.drafts.values()) if (draft.message === frame.id) draft.text = frame.text;
        return;
      case 'turn':
        return this.#turn(frame);
      case 'prompt':
        this.prompts.set(frame.prompt, frame.question);
        return;
      case 'prompt_closed':
        this.prompts.delete(frame.prompt);
        return;
    }
  }

  #snapshot(frame: TurnFrame | PromptFrame): void {
    if (this.ready) throw new Error('a snapshot after ready');
    if (frame.type === 'prompt') this.prompts.set(frame.prompt, frame.question);
    else {
      this.#named?.add(frame.turn);
      this.#open(frame);
    }
  }

  #open({ turn, message, status }: TurnFrame): void {
    if (this.finished.has(turn)) throw new Error(`turn ${turn} is ${status} after its end`);
    const draft = this.drafts.get(turn);
    if (draft && draft.message !== message) throw new Error(`turn ${turn} changed its reply's id`);
    if (!draft) this.drafts.set(turn, { message, text: '', reasoning: '' });
  }

  #turn(frame: TurnFrame): void {
    if (!isTerminal(frame.status)) return this.#open(frame);
    if (this.finished.has(frame.turn)) throw new Error(`turn ${frame.turn} ended twice`);
    this.finished.add(frame.turn);
    this.drafts.delete(frame.turn);
  }

  #message({ id, text, turn, reasoning }: MessageFrame): void {
    this.messages.set(id, text);
    const draft = turn === undefined ? undefined : this.drafts.get(turn);
    if (draft?.message !== id) return;
    draft.text = text;
    draft.reasoning = reasoning ?? draft.reasoning;
  }

  #chunk({ turn, message, kind, offset, text }: ChunkFrame): void {
    if (!text.isWellFormed()) throw new Error(`a chunk of ${turn} cuts a character`);
    const draft = this.drafts.get(turn);
    if (!draft) throw new Error(`a chunk of ${turn}, which is not open`);
    if (draft.message !== message) throw new Error(`a chunk of ${turn} for message ${message}`);
    const shown = draft[kind];
    // Offset 0 where there is text already is the repair of a client that shows more than there is.
    if (offset !== shown.length && offset !== 0)
      throw new Error(`${kind} of ${turn} at ${offset} after ${shown.length}`);
    draft[kind] = shown.slice(0, offset) + text;
  }
}

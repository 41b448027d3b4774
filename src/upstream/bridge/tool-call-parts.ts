import type { ToolCall } from '../../protocol/tool-calls.ts';
import type { ToolCallDelta } from './delta.ts';
import { bridgeError } from './errors.ts';

/**
 * Parts of tool calls, with what clients count on and servers leave out: an `index` that is a call's own through the whole
 * stream, and on its first part an `id` and a `type`. What is there already passes intact (P-BR-3).
 */
export class ToolCallParts {
  /** Ids by the index that we give, and the other way round. */
  readonly #ids = new Map<number, string>();
  readonly #byId = new Map<string, number>();
  /** Our index by that of the server: some number every call 0. */
  readonly #places = new Map<number, number>();
  #last: number | undefined;
  #next = 0;
  /** Characters that may still come. */
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  /** Throws an UpstreamError where it is too much. */
  placed(part: ToolCallDelta): ToolCall {
    this.#room -= JSON.stringify(part).length;
    if (this.#room < 0 || this.#ids.size > CALLS)
      throw bridgeError('upstream_stream', 'The model service sent too many tool calls.');
    const known = this.#known(part);
    const index = known ?? this.#begin(part);
    this.#last = index;
    if (known !== undefined) return { ...part, index };
    return {
      ...part,
      index,
      id: this.#ids.get(index),
      ...(part.function && !part.type ? { type: 'function' } : {}),
    };
  }

  /** The call that a part goes on; undefined where it begins one. */
  #known({ index, id, function: called }: ToolCallDelta): number | undefined {
    const numbered = typeof index === 'number';
    const at = numbered ? this.#places.get(index) : id ? this.#byId.get(id) : this.#last;
    if (at === undefined || !called?.name) return at;
    // A name begins a call, unless it is only said again.
    const same = id ? this.#ids.get(at) === id : numbered;
    return same ? at : undefined;
  }

  #begin({ index, id }: ToolCallDelta): number {
    const numbered = typeof index === 'number';
    const at = numbered && !this.#ids.has(index) ? index : this.#next;
    const name = id || `call_${crypto.randomUUID()}`;
    if (numbered) this.#places.set(index, at);
    this.#ids.set(at, name);
    this.#byId.set(name, at);
    this.#next = Math.max(this.#next, at + 1);
    return at;
  }
}

/** More than any model makes at once. */
const CALLS = 1_000;

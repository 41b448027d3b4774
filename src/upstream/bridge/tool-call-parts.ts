import type { ToolCall } from '../../protocol/tool-calls.ts';
import type { ToolCallDelta } from './delta.ts';
import { bridgeError } from './errors.ts';

/**
 * Parts of tool calls, with what clients count on and servers leave out: an `index` that is a call's own through the whole
 * stream, and on its first part an `id` and a `type`. What is there already passes intact (P-BR-3).
 */
export class ToolCallParts {
  /** Ids by the index that we give. */
  readonly #ids = new Map<number, string>();
  /** Our index by that of the server: some number every call 0. */
  readonly #indices = new Map<number, number>();
  #last: number | undefined;
  /** Characters that may still come. */
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  /** Throws an UpstreamError where it is too much. */
  placed(part: ToolCallDelta): ToolCall {
    this.#room -= JSON.stringify(part).length;
    if (this.#room < 0) throw bridgeError('upstream_stream', 'The model service sent too many tool calls.');
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
    const named = [...this.#ids].find(([, one]) => one === id)?.[0];
    const at = typeof index === 'number' ? this.#indices.get(index) : id ? named : this.#last;
    if (at === undefined || !called?.name) return at;
    // A name begins a call, unless it is only said again.
    const same = id ? this.#ids.get(at) === id : typeof index === 'number';
    return same ? at : undefined;
  }

  #begin({ index, id }: ToolCallDelta): number {
    const free = Math.max(-1, ...this.#ids.keys()) + 1;
    const taken = typeof index !== 'number' || this.#ids.has(index);
    const at = taken ? free : index;
    if (typeof index === 'number') this.#indices.set(index, at);
    this.#ids.set(at, id || `call_${crypto.randomUUID()}`);
    return at;
  }
}

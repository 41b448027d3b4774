import type { DurableFrame, ServerFrame } from '../protocol/server-frames.ts';
import { utf8Bytes } from '../protocol/text.ts';

/** Bytes of one `batch` frame: large enough to save frames, small enough to be shown as it arrives. */
const BATCH_BYTES = 65_536;

/** A frame on its way out, serialised once for however many sessions it goes to (P-WS-4). */
export class Out {
  readonly json: string;
  /** The journal's number; 0 for frames that are not durable. */
  readonly seq: number;
  #bytes: number | undefined;

  constructor(json: string, seq: number) {
    this.json = json;
    this.seq = seq;
  }

  static of(frame: ServerFrame): Out {
    return new Out(JSON.stringify(frame), isEntry(frame) ? frame.seq : 0);
  }

  get bytes(): number {
    this.#bytes ??= utf8Bytes(this.json);
    return this.#bytes;
  }
}

/** Whether a frame is an entry of the journal in its turn: a snapshot repeats one and moves nothing. */
function isEntry(frame: ServerFrame): frame is DurableFrame {
  return 'seq' in frame && !NOT_ENTRIES.has(frame.type) && !('snapshot' in frame);
}

const NOT_ENTRIES = new Set<ServerFrame['type']>(['welcome', 'ready', 'reset', 'ack']);

/** Takes frames in order. */
export interface Sink {
  send(outs: readonly Out[]): boolean;
}

const memo = new WeakMap<readonly Out[], string[]>();

/** The frames as `batch` frames of a bounded size; made once for a list that goes to many sessions. */
export function batched(outs: readonly Out[]): string[] {
  const known = memo.get(outs);
  if (known) return known;
  const texts: string[] = [];
  let open: string[] = [];
  let size = 0;
  const close = (): void => {
    if (open.length === 1 && open[0]) texts.push(open[0]);
    else if (open.length > 1) texts.push(`{"type":"batch","frames":[${open.join(',')}]}`);
    open = [];
    size = 0;
  };
  for (const { json } of outs) {
    if (size + json.length > BATCH_BYTES) close();
    open.push(json);
    size += json.length;
  }
  close();
  memo.set(outs, texts);
  return texts;
}

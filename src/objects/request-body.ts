/** Of one stored value: SQLite takes 2 MB with its key. */
const PART_BYTES = 1_048_576;

/** The body of a `/v1` request, in parts beside the turn that it is of, for as long as an attempt may need it. */
export class RequestBody {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** Stored with the other writes of the event, or not at all. */
  put(bytes: Uint8Array): void {
    let n = 0;
    for (let at = 0; at < bytes.byteLength; at += PART_BYTES)
      this.#kv.put(nameOf(n++), bytes.slice(at, at + PART_BYTES));
  }

  /** undefined where there is none (any more). */
  get text(): string | undefined {
    const decoder = new TextDecoder();
    const first = this.#kv.get<Uint8Array>(nameOf(0));
    if (!first) return undefined;
    let text = '';
    let n = 0;
    for (let part: Uint8Array | undefined = first; part; part = this.#kv.get<Uint8Array>(nameOf(++n)))
      text += decoder.decode(part, { stream: true });
    return text + decoder.decode();
  }

  delete(): void {
    for (let n = 0; this.#kv.delete(nameOf(n)); n += 1);
  }
}

function nameOf(part: number): string {
  return `body ${part}`;
}

import { StarwireError } from '../protocol/errors.ts';

/** A part of a multipart upload: R2 takes none that is smaller, but for the last, and wants all of one size. */
const PART_BYTES = 5 * 1024 * 1024;

/** Bytes that arrive, taken in portions; they are counted and their pace is watched. */
export class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  readonly #silence_ms: number;
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  #arrived = 0;

  /** `limit` is in bytes. */
  constructor(body: ReadableStream<Uint8Array>, limit: number, silence_ms: number) {
    this.#reader = body.getReader();
    this.#limit = limit;
    this.#silence_ms = silence_ms;
  }

  /** Bytes that have come so far. */
  get taken(): number {
    return this.#arrived;
  }

  /** The first `length` bytes, which stay to be taken; fewer where there are not so many. */
  async peek(length: number): Promise<Uint8Array> {
    return (await this.#filled(length)).subarray(0, length);
  }

  /** Exactly `length` bytes, fewer only at the end. */
  async take(length: number): Promise<Uint8Array> {
    const all = await this.#filled(length);
    this.#keep(all.subarray(length));
    return all.subarray(0, length);
  }

  /** What has come, as it comes; nothing more at the end. */
  async next(): Promise<Uint8Array> {
    const all = await this.#filled(1);
    this.#keep(all.subarray(all.byteLength));
    return all;
  }

  async #filled(length: number): Promise<Uint8Array> {
    while (this.#waiting < length && !this.#ended) await this.#read();
    const [first] = this.#chunks;
    return first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
  }

  #keep(rest: Uint8Array): void {
    this.#chunks = [rest];
    this.#waiting = rest.byteLength;
  }

  async #read(): Promise<void> {
    const { value, done } = await this.#within();
    if (done) {
      this.#ended = true;
      return;
    }
    this.#arrived += value.byteLength;
    if (this.#arrived > this.#limit) {
      throw new StarwireError('too_large', `the body has more than ${this.#limit} bytes`);
    }
    this.#chunks.push(value);
    this.#waiting += value.byteLength;
  }

  async #within(): Promise<ReadableStreamReadResult<Uint8Array>> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error('silence')), this.#silence_ms);
    try {
      return await Promise.race([this.#reader.read(), late.promise]);
    } catch {
      throw brokenOff();
    } finally {
      clearTimeout(timer);
    }
  }
}

function brokenOff(): StarwireError {
  return new StarwireError('bad_request', 'the body broke off');
}

/**
 * Stores a body without ever holding all of it: R2 takes a stream whose length is known, any other goes in parts. It throws what
 * the source throws, and then nothing is stored.
 */
export async function storeStream(
  bucket: R2Bucket,
  key: string,
  source: ByteSource,
  size: number | undefined,
  options: R2PutOptions,
): Promise<void> {
  if (size === undefined) return storeParts(bucket, key, source, options);
  const { readable, writable } = new FixedLengthStream(size);
  const writer = writable.getWriter();
  const stored = bucket.put(key, readable, options);
  // Then nobody reads any more, and the next write would wait for ever.
  stored.catch((error: unknown) => writer.abort(error).catch(() => undefined));
  try {
    for (let bytes = await source.next(); bytes.byteLength > 0; bytes = await source.next())
      await writer.write(bytes);
    if (source.taken < size) throw brokenOff();
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    // What R2 says of its own failure tells more than that its stream is closed.
    await stored.catch((failure: unknown) => {
      throw error instanceof StarwireError ? error : failure;
    });
    throw error;
  }
  await stored;
}

async function storeParts(
  bucket: R2Bucket,
  key: string,
  source: ByteSource,
  options: R2PutOptions,
): Promise<void> {
  const first = await source.take(PART_BYTES);
  if (first.byteLength < PART_BYTES) return void (await bucket.put(key, first, options));
  const upload = await bucket.createMultipartUpload(key, options);
  try {
    const parts: R2UploadedPart[] = [];
    for (let part = first; part.byteLength > 0; part = await source.take(PART_BYTES))
      parts.push(await upload.uploadPart(parts.length + 1, part));
    await upload.complete(parts);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

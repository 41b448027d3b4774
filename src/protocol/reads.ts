/** Bytes of one read: what a plain reader gives at once is 4 KiB, and each read costs more than its bytes. */
const READ_BYTES = 65_536;

/**
 * The bytes of a body as they come. An array is good until the next one is asked for: all are views of the same memory.
 * Who stops early cancels the body.
 */
export async function* reads(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader({ mode: 'byob' });
  let memory = new ArrayBuffer(READ_BYTES);
  let stopped = false;
  try {
    for (;;) {
      const read: ReadableStreamReadResult<ArrayBufferView<ArrayBuffer>> = await reader.read(
        new Uint8Array(memory),
      );
      if (read.done) return;
      const { buffer, byteOffset, byteLength } = read.value;
      memory = buffer;
      stopped = true;
      yield new Uint8Array(buffer, byteOffset, byteLength);
      stopped = false;
    }
  } finally {
    if (stopped) await reader.cancel();
  }
}

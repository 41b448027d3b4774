import { log } from '../protocol/log.ts';
/** Writes server-sent events with a heartbeat; `write` resolves when the client has read enough to take more. */
export interface SseWriter {
  event(fields: { event?: string; id?: string; data: string }): Promise<void>;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

interface SseOptions {
  headers?: Record<string, string>;
  heartbeat_ms: number;
  /** The text of the heartbeat's comment. */
  heartbeat: string;
  /** Whether the client may go on reading; asked with every heartbeat. */
  allowed?: () => Promise<boolean>;
  /** The client has gone, or the stream is over. */
  closed: () => void;
}

/** A response whose events `produce` writes. Headers and one comment are flushed at once (P-OA-3). */
export function sse(options: SseOptions, produce: (writer: SseWriter) => Promise<void>): Response {
  // The runtime's own: one in JavaScript takes several times as long for every event.
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let gone = false;
  const write = async (text: string): Promise<void> => {
    try {
      await writer.write(encoder.encode(text));
    } catch (error) {
      gone = true;
      throw error;
    }
  };
  const heartbeat = setInterval(() => {
    // A client that went away without a word is found here.
    write(`: ${options.heartbeat}\n\n`).catch(options.closed);
    void options.allowed?.().then((allowed) => {
      if (!allowed) options.closed();
    });
  }, options.heartbeat_ms);

  const run = async (): Promise<void> => {
    try {
      await write(': connected\n\n');
      await produce({
        event: ({ event, id, data }) =>
          write(
            `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`,
          ),
      });
      await writer.close();
    } catch (error) {
      // A client that has gone is no fault: what it missed is in the journal.
      if (!gone) log('error', 'a stream broke off', { error });
      await writer.abort().catch(() => undefined);
    } finally {
      clearInterval(heartbeat);
      options.closed();
    }
  };
  void run();
  writer.closed.catch(options.closed);
  return new Response(readable, { headers: { ...HEADERS, ...options.headers } });
}

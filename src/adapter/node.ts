import type { Handler } from './inbox.ts';

/** As much of `node:http` as is needed, so that no other runtime has to know it. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  method?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

export interface NodeResponse {
  readonly destroyed: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(bytes: Uint8Array): boolean;
  end(): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
}

export type NodeListener = (incoming: NodeRequest, outgoing: NodeResponse) => Promise<void>;

/** A handler as a listener of `node:http`'s `createServer`. */
export function nodeListener(handler: Handler): NodeListener {
  return async (incoming, outgoing) => {
    const gone = new Promise<'gone'>((resolve) => outgoing.once('close', () => resolve('gone')));
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers))
      if (value !== undefined) headers.set(name, String(value));
    const { method = 'GET' } = incoming;
    const body =
      method === 'GET' || method === 'HEAD' ? {} : { body: streamOf(incoming), duplex: 'half' as const };
    const request = new Request('http://bot/', { method, headers, ...body });
    // A delivery that a bot could not take comes again.
    const response = await handler(request).catch(() => new Response(null, { status: 500 }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    const reader = response.body?.getReader();
    for (;;) {
      const read = await Promise.race([reader?.read(), gone]);
      if (read === 'gone') return reader?.cancel();
      if (!read || read.done) break;
      if (outgoing.write(read.value)) continue;
      const drained = new Promise<void>((resolve) => outgoing.once('drain', resolve));
      if ((await Promise.race([drained, gone])) === 'gone') return reader?.cancel();
    }
    outgoing.end();
  };
}

function streamOf(incoming: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const bytes = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await bytes.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await bytes.return?.();
    },
  });
}

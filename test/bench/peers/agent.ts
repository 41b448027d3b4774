/** A chat room on the Cloudflare Agents SDK, as its documents write one: what comes in is broadcast to every connection. */
import { Agent, type Connection, routeAgentRequest } from 'agents';

interface Env {
  Room: DurableObjectNamespace<Room>;
  UPSTREAM_URL: string;
}

export class Room extends Agent<Env> {
  override onConnect(connection: Connection): void {
    connection.send('{"type":"ready"}');
  }

  override async onRequest(request: Request): Promise<Response> {
    if (request.url.endsWith('/chat/completions')) return this.#complete(request);
    for await (const line of linesOf(request)) this.broadcast(line);
    return new Response('ok');
  }

  /** Passes the model's stream on as it is read, and keeps the text. */
  async #complete(request: Request): Promise<Response> {
    const answer = await fetch(this.env.UPSTREAM_URL, { method: 'POST', body: await request.text() });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const relay = async (): Promise<void> => {
      let text = '';
      for await (const line of linesOf(answer)) {
        if (!line.startsWith('data: ')) continue;
        const data = line.slice('data: '.length);
        if (data !== '[DONE]') text += JSON.parse(data).choices[0]?.delta.content ?? '';
        await writer.write(encoder.encode(`data: ${data}\n\n`));
      }
      this.sql`CREATE TABLE IF NOT EXISTS replies (text TEXT)`;
      this.sql`INSERT INTO replies (text) VALUES (${text})`;
      await writer.close();
    };
    this.ctx.waitUntil(relay());
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
  }
}

async function* linesOf({ body }: Request | Response): AsyncGenerator<string> {
  let carry = '';
  for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (carry + text).split('\n');
    carry = lines.pop() ?? '';
    yield* lines;
  }
}

export default {
  async fetch(request, env) {
    return (await routeAgentRequest(request, env)) ?? new Response('not found', { status: 404 });
  },
} satisfies ExportedHandler<Env>;

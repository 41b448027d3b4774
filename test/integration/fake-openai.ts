import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An OpenAI-compatible server over real HTTP; the last message of a request names the answer. */
export class FakeOpenAi {
  readonly #server = createServer();
  readonly calls: { headers: IncomingHttpHeaders; body: Record<string, unknown> }[] = [];

  static async start(answers: Record<string, (response: ServerResponse) => unknown>): Promise<FakeOpenAi> {
    const fake = new FakeOpenAi();
    fake.#server.on('request', async (request, response) => {
      const body = JSON.parse(await text(request));
      fake.calls.push({ headers: request.headers, body });
      answers[body.messages.at(-1).content]?.(response);
    });
    await once(fake.#server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  get env(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      UPSTREAM_MODE: 'openai',
      UPSTREAM_URL: `http://127.0.0.1:${port}/v1`,
      UPSTREAM_API_KEY: 'key-of-upstream',
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

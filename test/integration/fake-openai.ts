import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';

export type Answer = (response: ServerResponse) => unknown;

/** A request as it came. */
export interface OpenAiCall {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown> & { messages: { role: string; content: unknown }[] };
  /** Resolves when the connection that asked is closed, with whether it had been answered by then. */
  closed: Promise<{ answered: boolean }>;
}

/** An OpenAI-compatible server over real HTTP; the last message of a request names the answer. */
export class FakeOpenAi {
  readonly #server = createServer();
  readonly #answers: Record<string, Answer>;
  readonly calls: OpenAiCall[] = [];
  #port = 0;

  constructor(answers: Record<string, Answer>) {
    this.#answers = answers;
    this.#server.on('request', async (request, response) => {
      const body = JSON.parse(await text(request));
      const closed = once(response, 'close').then(() => ({ answered: response.writableFinished }));
      this.calls.push({ path: request.url, headers: request.headers, body, closed });
      this.#answers[body.messages.at(-1).content]?.(response);
    });
  }

  static async start(answers: Record<string, Answer>): Promise<FakeOpenAi> {
    const fake = new FakeOpenAi(answers);
    await fake.#listen();
    return fake;
  }

  async #listen(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get env(): Record<string, string> {
    return {
      UPSTREAM_MODE: 'openai',
      UPSTREAM_URL: `http://127.0.0.1:${this.#port}/v1`,
      UPSTREAM_API_KEY: 'key-of-upstream',
    };
  }

  /** The one request whose last message is this. */
  call(content: string): OpenAiCall {
    const [call, ...more] = this.calls.filter(({ body }) => body.messages.at(-1)?.content === content);
    expect(more).toEqual([]);
    return call ?? expect.fail(`nobody asked "${content}"`);
  }

  /** Has work done while nobody listens. */
  async down<T>(work: () => Promise<T>): Promise<T> {
    await this.stop();
    try {
      return await work();
    } finally {
      await this.#listen();
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A chunk of a stream. */
export const chunk = (delta: object, finish_reason: string | null = null): string =>
  JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] });

/** A stream that goes on. */
export const opened =
  (...data: string[]) =>
  (response: ServerResponse): ServerResponse => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of data) response.write(one.startsWith('event:') ? `${one}\n\n` : `data: ${one}\n\n`);
    return response;
  };

/** A stream with its end. */
export const streamed =
  (...data: string[]): Answer =>
  (response) =>
    opened(...data)(response).end();

export const plain =
  (status: number, body: string, type = 'application/json', headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);

/** A body in the pieces that it is given in, each a write of its own. */
export const pieces =
  (...parts: Uint8Array[]): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    for (const part of parts) await new Promise((resolve) => response.write(part, resolve));
    response.end();
  };

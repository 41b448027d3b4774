import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../harness/statistics.ts';
import { freshUsers } from './tabs.ts';
import type { Load, Tasks } from './task.ts';
import { checkText, TOKEN_CHARS, tokens } from './tokens.ts';
import type { Completion, Wire } from './wire.ts';

interface Stream {
  user: string;
  asked: number;
  /** When each token was written by the model. */
  written: number[];
  reads: { at: number; bytes: Buffer }[];
}

export async function sse(wire: Wire, options: Tasks['sse']): Promise<Load> {
  const streams = freshUsers(options.streams).map(
    (user): Stream => ({ user, asked: 0, written: [], reads: [] }),
  );
  const model = await startModel(options, streams);
  return {
    async run() {
      await Promise.all(
        streams.map(async (stream, n) => {
          // Not all in one moment: people do not ask in step either.
          await sleep((n * 1_000) / options.per_second / options.streams);
          await ask(wire, stream);
        }),
      );
    },
    figures() {
      const told = streams.map((stream) => arrivals(stream, options.chunks));
      const added = told.flatMap((times, n) =>
        times.slice(1).map((at, token) => at - (streams[n]?.written[token + 1] ?? Number.NaN)),
      );
      const first = told.map((times, n) => (times[0] ?? Number.NaN) - (streams[n]?.asked ?? 0));
      return {
        first_token_ms: percentile(first, 0.5),
        p50_ms: percentile(added, 0.5),
        p99_ms: percentile(added, 0.99),
      };
    },
    async close() {
      model.closeAllConnections();
      model.close();
      wire.close();
    },
  };
}

/** An OpenAI-compatible model that speaks by the clock; a request's last message names its stream. */
async function startModel(
  { chunks, per_second, upstream_port }: Tasks['sse'],
  streams: Stream[],
): Promise<Server> {
  const written = tokens(chunks);
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { messages } = JSON.parse(await text(incoming));
    const stream = streams.find(({ user }) => user === messages.at(-1).content);
    const say = (choice: object): void =>
      void response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const began = performance.now();
    for (const [n, content] of written.entries()) {
      const wait = began + (n * 1_000) / per_second - performance.now();
      if (wait > 0) await sleep(wait);
      stream?.written.push(performance.now());
      say({ delta: { content } });
    }
    say({ delta: {}, finish_reason: 'stop' });
    response.end('data: [DONE]\n\n');
  };
  const server = createServer((incoming, response) => void answer(incoming, response));
  await once(server.listen(upstream_port, '127.0.0.1'), 'listening');
  return server;
}

async function ask(wire: Wire, stream: Stream): Promise<void> {
  const to = wire.completion?.(stream.user);
  if (!to) throw new Error('this system has no completions');
  stream.asked = performance.now();
  const response = await post(to, stream.user);
  response.on('data', (bytes: Buffer) => stream.reads.push({ at: performance.now(), bytes }));
  await once(response, 'end');
  if (response.statusCode !== 200)
    throw new Error(
      `${to.path} answered ${response.statusCode}: ${Buffer.concat(stream.reads.map(({ bytes }) => bytes))}`,
    );
}

async function post({ port, path, headers }: Completion, user: string): Promise<IncomingMessage> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  });
  sent.end(JSON.stringify({ model: 'any', stream: true, messages: [{ role: 'user', content: user }] }));
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (!response) throw new Error('there was no answer');
  return response;
}

/** When each token had come. */
function arrivals({ user, reads }: Stream, chunks: number): number[] {
  const times: number[] = [];
  let carry = '';
  let content = '';
  let ended = false;
  for (const { at, bytes } of reads) {
    const lines = (carry + bytes.toString()).split('\n');
    carry = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'data: [DONE]') ended = true;
      else if (line.startsWith('data: '))
        content += JSON.parse(line.slice(6)).choices[0]?.delta.content ?? '';
    }
    while ((times.length + 1) * TOKEN_CHARS <= content.length) times.push(at);
  }
  checkText(content, chunks, user);
  if (!ended) throw new Error(`the stream of ${user} has no [DONE]`);
  return times;
}

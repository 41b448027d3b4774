import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a reply is written: so many tokens, one every so many ms. */
export interface Pace {
  tokens: number;
  every_ms: number;
}

/** A token of the usual size: four characters. */
const TOKEN = 'word';

/** An inference service that writes at a pace, as a webhook's service and as an OpenAI-compatible API. */
export interface Service {
  port: number;
  /** Of the next reply. */
  pace: Pace;
  stop(): Promise<void>;
}

export async function startService(
  pace: Pace,
  internalToken: string,
  gateway: () => string,
): Promise<Service> {
  const server = createServer(async (incoming, response) => {
    const body = JSON.parse(await text(incoming));
    if (incoming.url?.endsWith('/chat/completions')) return complete(service.pace, response);
    response.writeHead(202).end();
    if (body.type === 'message' || body.type === 'completion')
      await reply(service.pace, internalToken, gateway(), body.channel_id, body.turn);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const service: Service = {
    port: (server.address() as AddressInfo).port,
    pace,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return service;
}

async function complete({ tokens, every_ms }: Pace, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const say = (choice: object) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
  for await (const _ of ticks(tokens, every_ms)) say({ delta: { content: TOKEN } });
  say({ delta: {}, finish_reason: 'stop' });
  response.end('data: [DONE]\n\n');
}

/** One NDJSON request for the whole reply, as docs and SDKs do it. */
async function reply(
  pace: Pace,
  token: string,
  gateway: string,
  channel: string,
  turn: string,
): Promise<void> {
  const line = (event: object) => `${JSON.stringify({ channel, turn, ...event })}\n`;
  async function* lines() {
    for await (const _ of ticks(pace.tokens, pace.every_ms)) yield line({ kind: 'chunk', text: TOKEN });
    yield line({ kind: 'done' });
  }
  const sent = request(`${gateway}/internal/outbound`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  });
  const [[response]] = await Promise.all([once(sent, 'response'), pipeline(Readable.from(lines()), sent)]);
  const said = await text(response);
  if (response.statusCode !== 200) throw new Error(`the reply was refused: ${response.statusCode} ${said}`);
}

/** By the clock, not by the last tick, so that the pace holds on a busy machine. */
async function* ticks(count: number, every_ms: number) {
  const began = performance.now();
  for (let n = 0; n < count; n += 1) {
    const wait = began + n * every_ms - performance.now();
    if (wait > 1) await sleep(wait);
    yield n;
  }
}

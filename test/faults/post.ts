import { ReadableStream } from 'node:stream/web';
import { setTimeout as pause } from 'node:timers/promises';
import type { OutboundResult } from '../../src/protocol/outbound.ts';
import type { World } from '../integration/world.ts';

export interface Line {
  channel: string;
  kind: string;
  [field: string]: unknown;
}

export interface Post {
  /** Of one JSON body, or of NDJSON. */
  events: Line | Line[];
  headers?: Record<string, string>;
  /** NDJSON with pauses between the lines, as a model writes. */
  ndjson?: { pause_ms: () => number };
}

/** A request is given up and sent again after this; nothing of ours takes so long. */
const patience_ms = 20_000;
const again_ms = 40;

/** What became of requests, for the report of a run. */
export const counts = { answered: 0, again: 0, timeouts: 0 };

/** What one attempt gave: an answer, or nothing that could be told from a crash. */
type Answer = { status: number; results: OutboundResult[]; text: string };

/** One attempt at `POST /internal/outbound`; undefined where it broke off, or the server says that it may be repeated. */
export async function attempt(world: World, { events, headers, ndjson }: Post): Promise<Answer | undefined> {
  const [token = ''] = world.server.secrets.INTERNAL_TOKEN.split(',');
  const lines = [events].flat().map((event) => `${JSON.stringify(event)}\n`);
  try {
    const response = await fetch(`${world.origin}/internal/outbound`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': ndjson ? 'application/x-ndjson' : 'application/json',
        ...headers,
      },
      body: ndjson ? paced(lines, ndjson.pause_ms) : JSON.stringify(events),
      signal: AbortSignal.timeout(patience_ms),
      duplex: 'half',
    } as RequestInit);
    const text = await response.text();
    if (response.status >= 500) return undefined;
    const body: { results?: OutboundResult[] } = JSON.parse(text);
    const results = body.results ?? [];
    // A fault of one of several channels is told in its results.
    if (results.some(({ error }) => error?.code === 'internal')) return undefined;
    return { status: response.status, results, text };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') counts.timeouts += 1;
    return undefined;
  }
}

function paced(lines: readonly string[], pause_ms: () => number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return ReadableStream.from(
    (async function* () {
      for (const line of lines) {
        yield encoder.encode(line);
        await pause(pause_ms());
      }
    })(),
  );
}

/** Sends until it is answered, as an upstream does that must not lose anything; throws where the answer is a refusal. */
export async function post(world: World, request: Post): Promise<OutboundResult[]> {
  const answer = await insist(() => attempt(world, request));
  if (answer.status !== 200 || answer.results.some(({ error }) => error))
    throw new Error(`${answer.status} ${answer.text}\nfor ${JSON.stringify(request).slice(0, 1_000)}`);
  return answer.results;
}

/** Tries until there is something. */
export async function insist<T>(work: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await work();
    if (found !== undefined) {
      counts.answered += 1;
      return found;
    }
    counts.again += 1;
    await pause(again_ms);
  }
}

import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { SignJWT } from 'jose';
import type { ConversationPage } from '../../src/protocol/conversations.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { type Server, startServer } from '../integration/server.ts';

/** Messages of one user, half of them in one conversation. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 100_000);
const CONVERSATIONS = 100;
const CALLS = 30;
/** What a page or a search may take. */
const BUDGET_MS = 50;

const USER = 'bench';
const WORDS =
  'the quick brown fox jumps over lazy dog while seven wizards boil two large kettles of tea'.split(' ');

function textOf(n: number): string {
  const words = Array.from({ length: 30 }, (_, k) => WORDS[(n * 7 + k * (1 + (n % 11))) % WORDS.length]);
  return `${words.join(' ')} ${n % 10_000 === 17 ? 'needle' : ''} #${n}`;
}

/** Times of calls, and how the slower ones stand to the budget. */
export interface Timing {
  what: string;
  p50_ms: number;
  p95_ms: number;
  max_ms: number;
}

/** The history of a user who has said a hundred thousand things: pages and searches, as a client waits for them. */
export async function runHistory(): Promise<void> {
  const server = await startServer({
    env: { DEV_AUTH: 'true', LIMITS: JSON.stringify({ record_after_ms: 3_600_000 }) },
  });
  try {
    const token = await new SignJWT({ sub: USER, exp: Math.floor(Date.now() / 1000) + 3_600 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(server.secrets.AUTH_SECRET));
    const call = async <T>(path: string): Promise<T> => {
      const response = await fetch(`${server.origin}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    };
    const began = performance.now();
    for (let n = 0; n < MESSAGES; n += 5_000) {
      await fill(server, n, Math.min(n + 5_000, MESSAGES));
      // Drains: what is searched is recorded first.
      await call('/api/search?q=needle');
    }
    const seconds = (performance.now() - began) / 1000;
    console.log(`${MESSAGES} messages of one user, journalled and recorded in ${seconds.toFixed(0)} s\n`);

    const history = '/api/conversations/big/messages?limit=50';
    const middle = Math.floor(MESSAGES / 2);
    const timings = [
      await timed('history, newest page', () => call<HistoryPage>(history)),
      await timed('history, a page in the middle', () => call<HistoryPage>(`${history}&before=${middle}`)),
      await timed('history, the oldest page', () => call<HistoryPage>(`${history}&before=100`)),
      await timed('conversations', () => call<ConversationPage>('/api/conversations?limit=50')),
    ];
    for (const [what, q] of [
      ['a word in ten messages', 'needle'],
      ['a word in every message', 'fox'],
      ['two words', 'wizards needle'],
      ['a word that is nowhere', 'zebra'],
      ['two letters, everywhere', 'qu'],
      ['two letters, nowhere', 'qz'],
    ] as const)
      timings.push(await timed(`search, ${what}`, () => call(`/api/search?q=${encodeURIComponent(q)}`)));
    console.table(
      Object.fromEntries(
        timings.map(({ what, ...times }) => [what, { ...times, ok: times.p95_ms < BUDGET_MS }]),
      ),
    );
  } finally {
    await server.stop();
  }
}

async function fill(server: Server, from: number, to: number): Promise<void> {
  const body = new PassThrough();
  const [token = ''] = server.secrets.INTERNAL_TOKEN.split(',');
  const posted = fetch(`${server.origin}/internal/outbound`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(body) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  for (let n = from; n < to; n++) {
    const conversation = n % 2 === 0 ? 'big' : `c${n % CONVERSATIONS}`;
    const event = { channel: `webchat:${USER}`, kind: 'message', text: textOf(n), conversation };
    if (!body.write(`${JSON.stringify(event)}\n`)) await once(body, 'drain');
  }
  body.end();
  const response = await posted;
  if (!response.ok) throw new Error(`outbound: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

async function timed(what: string, work: () => Promise<unknown>): Promise<Timing> {
  const times: number[] = [];
  for (let n = 0; n < CALLS; n++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number => Number((times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(1));
  return { what, p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}

if (import.meta.main) await runHistory();

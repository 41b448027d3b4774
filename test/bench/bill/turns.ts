import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { Client } from '../../integration/client.ts';
import { type Metering, NOTHING, type Usage } from '../usage.ts';
import { type Metered, startMetered } from './metered.ts';
import { type Pace, type Service, startService } from './service.ts';

export const TURN_KINDS = ['webhook', 'bridge', 'sse'] as const;
/** By webhook or bridge to a socket, or by webhook to an SSE client of `/v1`. */
export type TurnKind = (typeof TURN_KINDS)[number];

/** What waits for hours or days in a deployment is done soon, so that all of a turn's work falls into the measurement. */
function limitsFor({ tokens, every_ms }: Pace): string {
  const turn_ms = tokens * every_ms;
  return JSON.stringify({
    // With the message and its reply at once, as it is with replies of less than some seconds.
    record_after_ms: Math.min(turn_ms + 500, 3_000),
    idempotency_ms: turn_ms + 5_000,
    stream_retention_ms: 2_000,
  });
}

/** As often as clients of our own do. */
const PING_MS = 25_000;

/** How long nothing must have happened for a turn's work to be over: longer than any of those limits. */
const QUIET_MS = 6_000;

/** What one turn uses, all that it leaves to be done later included; its exact text is checked. */
export async function meterTurn(kind: TurnKind, pace: Pace): Promise<Metering> {
  let metered: Metered | undefined;
  const service = await startService(pace, 'bench-internal-token-0001', () => metered?.origin ?? '');
  try {
    const upstream = `http://127.0.0.1:${service.port}`;
    metered = await startMetered({
      LIMITS: limitsFor(pace),
      ...(kind === 'bridge'
        ? { UPSTREAM_MODE: 'openai', UPSTREAM_URL: `${upstream}/v1`, UPSTREAM_API_KEY: 'key-of-upstream' }
        : { UPSTREAM_MODE: 'webhook', UPSTREAM_URL: `${upstream}/hook` }),
    });
    const token = await tokenOf(metered);
    return await (kind === 'sse' ? overSse(metered, token, pace) : overSocket(metered, token, service));
  } finally {
    await metered?.stop();
    await service.stop();
  }
}

/** The second turn of an open tab: the first one has made the tables, which happens once in a user's life. */
async function overSocket(metered: Metered, token: string, service: Service): Promise<Metering> {
  const client = await Client.open(metered.origin, { token });
  const pings = setInterval(() => client.send('ping'), PING_MS);
  try {
    await client.frame('ready');
    return await secondTurn(metered, client, service);
  } finally {
    clearInterval(pings);
    await client.close();
  }
}

async function secondTurn(metered: Metered, client: Client, service: Service): Promise<Metering> {
  const { pace } = service;
  service.pace = { tokens: 2, every_ms: 1 };
  await oneTurn(client, 'first', service.pace);
  await quiet(metered);
  service.pace = pace;
  await oneTurn(client, 'second', pace);
  return quiet(metered);
}

async function oneTurn(client: Client, client_id: string, pace: Pace): Promise<void> {
  client.send({ type: 'message', client_id, text: 'What does it cost?' });
  const { turn } = await client.frame('ack', (ack) => ack.client_id === client_id);
  const end = await client.frame(
    'turn',
    (one) => one.turn === turn && one.status !== 'queued' && one.status !== 'running',
    600_000,
  );
  if (end.status !== 'completed') throw new Error(`the turn is ${end.status}: ${JSON.stringify(end.error)}`);
  const reply = client.all('message').find((one) => one.id === end.message);
  checkText(reply?.text, pace);
}

async function overSse(metered: Metered, token: string, pace: Pace): Promise<Metering> {
  await quiet(metered);
  const response = await fetch(`${metered.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'any',
      stream: true,
      messages: [{ role: 'user', content: 'What does it cost?' }],
    }),
  });
  const data = (await response.text())
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : []));
  checkText(data.map((json) => JSON.parse(json).choices?.[0]?.delta?.content ?? '').join(''), pace);
  return quiet(metered);
}

function checkText(text: string | undefined, { tokens }: Pace): void {
  if (text !== 'word'.repeat(tokens))
    throw new Error(`the reply is not what was written: ${text?.length} characters`);
}

/** What was used until nothing happened any more. */
export async function quiet(metered: Metered): Promise<Metering> {
  const usage: Usage = { ...NOTHING };
  const writers: Record<string, number> = {};
  for (let still = 0; still < QUIET_MS; ) {
    await sleep(500);
    const read = await metered.take();
    const counters = Object.keys(usage) as (keyof Usage)[];
    for (const counter of counters) usage[counter] += read.usage[counter];
    for (const [statement, rows] of Object.entries(read.writers))
      writers[statement] = (writers[statement] ?? 0) + rows;
    still = counters.some((counter) => read.usage[counter] > 0) ? 0 : still + 500;
  }
  return { usage, writers };
}

export function tokenOf({ secrets }: Metered, sub = 'reader'): Promise<string> {
  return new SignJWT({ sub, exp: Math.floor(Date.now() / 1000) + 3_600 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secrets.AUTH_SECRET));
}

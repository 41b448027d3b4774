import { Hono } from 'hono';
import { sha256 } from '../auth/digest.ts';
import type { Producer } from '../channel/producers.ts';
import type { Numbered } from '../channel/runs.ts';
import { unwrap } from '../objects/outcome.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import { type AppEnv, type Ctx, idempotencyKey, readText, statusOf, use } from './app.ts';
import { complete, dropOrphan, failed, placed, type RequestFields } from './outbound-events.ts';
import { ingestLines } from './outbound-lines.ts';
import type { Target } from './targets.ts';

/** Results of an upstream: `POST /internal/outbound` (section 5.2). */
export const outbound = new Hono<AppEnv>();

/** The contract's name and the others that are about. */
const NDJSON = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/json-lines',
]);

outbound.post('/', async (c) => {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  const fields = fieldsOf(c);
  if (type !== undefined && NDJSON.has(type)) {
    const results = await ingestLines(c, fields);
    return c.json({ results }, 200, producerHeaders(fields));
  }
  // curl -d says it is a form: what counts is whether it is JSON.
  return json(c, fields);
});

const PRODUCER_CHARS = 255;

function fieldsOf(c: Ctx): RequestFields {
  const key = idempotencyKey(c);
  const producer = producerOf(c);
  return {
    ...(key === undefined ? {} : { key: `key ${key}` }),
    ...(producer === undefined ? {} : { producer }),
  };
}

/** The three headers come together or not at all. */
function producerOf(c: Ctx): Producer | undefined {
  const id = c.req.header('producer-id');
  const epoch = c.req.header('producer-epoch');
  const seq = c.req.header('producer-seq');
  if (id === undefined && epoch === undefined && seq === undefined) return undefined;
  const whole = (text: string | undefined): number =>
    text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (id === undefined || id === '' || id.length > PRODUCER_CHARS || whole(epoch) < 0 || whole(seq) < 0) {
    throw new StarwireError(
      'bad_request',
      'Producer-Id, Producer-Epoch and Producer-Seq belong together; the last two are whole numbers',
      {
        field: 'Producer-Id',
      },
    );
  }
  return { id, epoch: whole(epoch), seq: whole(seq) };
}

/** What a producer is told that was heard: its own place. */
function producerHeaders({ producer }: RequestFields): Record<string, string> {
  if (!producer) return {};
  return { 'producer-epoch': String(producer.epoch), 'producer-seq': String(producer.seq) };
}

/** One event or an array: applied channel by channel, in order within each. */
async function json(c: Ctx, { key, producer }: RequestFields): Promise<Response> {
  const { config } = use(c);
  const text = await readText(c, config.limits.outbound_bytes);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new StarwireError(
      'bad_request',
      'the body is not JSON; NDJSON needs Content-Type: application/x-ndjson',
    );
  }
  const inputs = Array.isArray(parsed) ? parsed : [parsed];
  const results: OutboundResult[] = [];
  const groups = new Map<string, { target: Target; events: Numbered[] }>();
  for (const [n, input] of inputs.entries()) {
    try {
      const one = placed(c, input);
      const { target } = one;
      const event = await complete(c, one);
      const group = groups.get(target.name) ?? { target, events: [] };
      group.events.push({ n, event });
      groups.set(target.name, group);
    } catch (error) {
      results[n] = failed(error, c.get('request_id'));
    }
  }
  if (producer && groups.size > 1) {
    throw new StarwireError('bad_request', 'a producer writes to one channel per request', {
      field: 'Producer-Id',
    });
  }
  const body = key === undefined ? undefined : (await sha256(text)).toString('base64url');
  for (const { target, events } of groups.values()) {
    const answer = unwrap(await target.stub().ingest({ key, body, producer, events, end: true }));
    for (const { n, result } of answer.results) {
      results[n] = result;
      await dropOrphan(c, events.find((one) => one.n === n)?.event, result);
    }
  }
  // A single event answers as a call of its own would.
  const [only] = results;
  if (!Array.isArray(parsed) && only?.error)
    return c.json({ error: only.error, results }, statusOf(only.error));
  return c.json({ results }, 200, producerHeaders({ producer }));
}

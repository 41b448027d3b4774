import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';

/** An inference service in a few lines: accepts what users say by webhook and streams its answer back, word by word. */

const { STARWIRE_URL = 'http://127.0.0.1:8787', BOT_PORT = '9000' } = process.env;
const { INTERNAL_TOKEN = '', UPSTREAM_WEBHOOK_SECRET = '' } = process.env;
const webhook = new Webhook(UPSTREAM_WEBHOOK_SECRET);

async function* answer(channel: string, turn: string, words: string[]) {
  const line = (event: object) => Buffer.from(`${JSON.stringify({ channel, turn, ...event })}\n`);
  for (const word of words) {
    yield line({ kind: 'chunk', text: word });
    await pause(30);
  }
  yield line({ kind: 'done' });
}

const server = createServer(async (request, response) => {
  const body = await text(request);
  const id = String(request.headers['webhook-id']);
  try {
    webhook.verify(body, request.headers as Record<string, string>);
  } catch {
    response.writeHead(401).end();
    return;
  }
  // Accepted: from here on the answer is this bot's own affair.
  response.writeHead(202).end();
  const { type, channel_id, turn, text: said } = JSON.parse(body);
  if (type === 'cancel') return;
  const sent = await fetch(`${STARWIRE_URL}/internal/outbound`, {
    method: 'POST',
    // A delivery may come twice: under its id the events count once.
    headers: {
      authorization: `Bearer ${INTERNAL_TOKEN}`,
      'content-type': 'application/x-ndjson',
      'idempotency-key': id,
    },
    body: ReadableStream.from(answer(channel_id, turn, `You said: ${said}`.split(/(?<=\s)/))),
    duplex: 'half',
  });
  console.log(type, turn, sent.status);
});
server.listen(Number(BOT_PORT), '127.0.0.1', () => console.log(`Echo bot ready on port ${BOT_PORT}`));

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Asked, type TurnStream, WebChatPlatform } from '../src/adapter/index.ts';

/**
 * Thinks, uses a tool, and counts as far as it is asked to. Kill it in mid-sentence and start it again: it says the reply from
 * the beginning, Starwire passes over what it has, and nobody sees a word twice.
 */

const starwire = WebChatPlatform.fromEnvironment(process.env);
const { BOT_PORT = '9000', BOT_STATE = '.bot' } = process.env;
mkdirSync(BOT_STATE, { recursive: true });

async function answer(message: Asked, reply: TurnStream): Promise<void> {
  // A message is this bot's own affair once it was accepted: it is written down until it is answered.
  const note = `${BOT_STATE}/${message.turn}.json`;
  writeFileSync(note, JSON.stringify(message));
  try {
    const last = Number(/\d+/.exec(message.text)?.[0] ?? 10);
    await reply.reasoning(`They want me to count to ${last}.`);
    await reply.tool({ tool: 'abacus', name: 'abacus', status: 'running', args: { last } });
    await reply.tool({ tool: 'abacus', name: 'abacus', status: 'completed', result: 'ready' });
    for (let n = 1; n <= last; n += 1) {
      await reply.text(`${n} `);
      // A model would take `reply.signal`, and stop when its user does.
      await pause(20, undefined, { signal: reply.signal });
    }
    await reply.done({ usage: { input_tokens: 3, output_tokens: last } });
  } finally {
    rmSync(note);
  }
}

for (const note of readdirSync(BOT_STATE))
  void starwire.resume(JSON.parse(readFileSync(`${BOT_STATE}/${note}`, 'utf8')), answer);

createServer(starwire.listener(answer)).listen(Number(BOT_PORT), '127.0.0.1', () =>
  console.log(`Streaming bot ready on port ${BOT_PORT}`),
);

import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebChatPlatform } from '../src/adapter/index.ts';

/** Says what it hears, word by word. */

const starwire = WebChatPlatform.fromEnvironment(process.env);
const { BOT_PORT = '9000' } = process.env;

const listener = starwire.listener(async (message, reply) => {
  for (const word of `You said: ${message.text}`.split(/(?<=\s)/)) {
    await reply.text(word);
    await pause(30);
  }
});

createServer(listener).listen(Number(BOT_PORT), '127.0.0.1', () =>
  console.log(`Echo bot ready on port ${BOT_PORT}`),
);

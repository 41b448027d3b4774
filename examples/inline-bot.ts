import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebChatPlatform } from '../src/adapter/index.ts';

/** The same in its simplest form: what it yields goes back inside the response to the webhook, so that it calls nobody. */

const starwire = WebChatPlatform.fromEnvironment(process.env);
const { BOT_PORT = '9000' } = process.env;

const listener = starwire.listener(async function* (message) {
  for (const word of `You said: ${message.text}`.split(/(?<=\s)/)) {
    yield word;
    await pause(30);
  }
});

createServer(listener).listen(Number(BOT_PORT), '127.0.0.1', () =>
  console.log(`Inline bot ready on port ${BOT_PORT}`),
);

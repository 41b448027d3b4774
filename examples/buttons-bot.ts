import { createServer } from 'node:http';
import { WebChatPlatform } from '../src/adapter/index.ts';

/** A café: offers buttons, and asks what it must know while the order is open. */

const starwire = WebChatPlatform.fromEnvironment(process.env);
const { BOT_PORT = '9000' } = process.env;

const listener = starwire.listener(async (message, reply) => {
  if (message.type !== 'action')
    return reply.message('What may it be?', {
      buttons: [
        { label: 'Coffee', custom_id: 'coffee', emoji: '☕' },
        { label: 'Tea', custom_id: 'tea', emoji: '🍵' },
      ],
    });

  const size = await reply.ask({ question: 'Which size?', choices: ['small', 'large'] });
  await reply.text(`One ${size} ${message.extra.custom_id}, coming up.`);
  // The buttons have done their work.
  await starwire.editMessage(message.channel_id, message.extra.message_id, 'What may it be? Thank you!', {
    buttons: [],
  });
});

createServer(listener).listen(Number(BOT_PORT), '127.0.0.1', () =>
  console.log(`Buttons bot ready on port ${BOT_PORT}`),
);

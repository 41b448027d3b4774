import OpenAI from 'openai';

/** Asks Starwire with the `openai` package, as any program does that knows OpenAI's API, and writes what comes. */

const { STARWIRE_URL = 'http://127.0.0.1:8787', STARWIRE_API_KEY } = process.env;
const client = new OpenAI({ baseURL: `${STARWIRE_URL}/v1`, apiKey: STARWIRE_API_KEY });

const stream = await client.chat.completions.create({
  model: 'starwire',
  messages: [{ role: 'user', content: process.argv.slice(2).join(' ') || 'help' }],
  stream: true,
});
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? '');
process.stdout.write('\n');

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { isTerminal } from '../../src/protocol/server-frames.ts';
import { apiKey } from './v1.ts';
import type { World } from './world.ts';

/** What a client has in the end. `error`: as it tells it, undefined where it takes the answer for complete. */
export interface Outcome {
  text: string;
  error?: string;
}

export type Ask = (content: string) => Promise<Outcome>;

const spoken = (error: unknown): string => {
  if (!(error instanceof Error)) return JSON.stringify(error);
  return [error.message, JSON.stringify(error), error.cause && spoken(error.cause)].join(' ');
};

/** Reads to the end, or to what breaks it. */
async function outcome(
  read: (say: (text: string | null | undefined) => void) => Promise<void>,
): Promise<Outcome> {
  let text = '';
  try {
    await read((more) => {
      text += more ?? '';
    });
    return { text };
  } catch (error) {
    return { text, error: spoken(error) };
  }
}

/** The clients that stream show what came; those that want the whole get an answer or an error. */
export interface Clients {
  streaming: Record<string, Ask>;
  whole: Record<string, Ask>;
}

/** Every client of the table, as one user of its own. */
export async function clientsOf(world: World, user: string): Promise<Clients> {
  const key = await apiKey(world, user);
  const baseURL = `${world.origin}/v1`;
  const openai = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 });
  const asked = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] });
  const model = createOpenAICompatible({ name: 'starwire', baseURL, apiKey: key }).chatModel('m');
  const langchain = new ChatOpenAI({ model: 'm', apiKey: key, maxRetries: 0, configuration: { baseURL } });
  const person = await world.person({ sub: user });

  return {
    streaming: {
      socket: (content) =>
        outcome(async (say) => {
          const client = await world.connect(person);
          client.send({ type: 'message', client_id: 'c', text: content });
          const turn = await client.frame('turn', ({ status }) => isTerminal(status));
          await client.close();
          const reply = client.all('message').find(({ id }) => id === turn.message);
          say(reply?.text);
          const shown = client.texts.get(turn.turn)?.text ?? '';
          if (shown !== (reply?.text ?? '')) throw new Error(`it showed "${shown}"`);
          if (turn.status === 'completed' && !reply?.partial) return;
          throw new Error(JSON.stringify(turn.error));
        }),
      openai: (content) =>
        outcome(async (say) => {
          const stream = await openai.chat.completions.create({ ...asked(content), stream: true });
          let finished = false;
          for await (const { choices } of stream) {
            say(choices[0]?.delta.content);
            finished ||= choices[0]?.finish_reason === 'stop';
          }
          if (!finished) throw new Error('it came to no finish');
        }),
      ai: (content) =>
        outcome(async (say) => {
          const { fullStream } = streamText({
            model,
            prompt: content,
            maxRetries: 0,
            onError: () => undefined,
          });
          for await (const one of fullStream) {
            if (one.type === 'text-delta') say(one.text);
            if (one.type === 'error') throw one.error;
          }
        }),
      langchain: (content) =>
        outcome(async (say) => {
          for await (const { text } of await langchain.stream(content)) say(text);
        }),
    },
    whole: {
      openai: (content) =>
        outcome(async (say) => {
          const { choices } = await openai.chat.completions.create(asked(content));
          say(choices[0]?.message.content);
        }),
      ai: (content) =>
        outcome(async (say) => say((await generateText({ model, prompt: content, maxRetries: 0 })).text)),
      langchain: (content) => outcome(async (say) => say((await langchain.invoke(content)).text)),
    },
  };
}

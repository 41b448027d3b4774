import type { Delivery } from '../../protocol/delivery.ts';
import { UpstreamError } from '../upstream.ts';
import type { DemoEvents, Pause } from './demo.ts';
import * as texts from './texts.ts';

export type Scene = (delivery: Delivery, pause: Pause) => DemoEvents;

const WORD_MS = 28;

/** A text word by word, as a model would write it. */
async function* say(text: string, pause: Pause, { reasoning = false, word_ms = WORD_MS } = {}): DemoEvents {
  for (const word of text.match(/\s*\S+\s*/g) ?? []) {
    yield { kind: 'chunk', text: word, ...(reasoning ? { reasoning: true } : {}) };
    await pause(word_ms);
  }
}

async function* done(text: string): DemoEvents {
  const output_tokens = Math.ceil(text.length / 4);
  yield { kind: 'done', usage: { input_tokens: 12, output_tokens }, finish_reason: 'stop' };
}

const saying = (text: string, options = {}): Scene =>
  async function* (_, pause) {
    yield* say(text, pause, options);
    yield* done(text);
  };

const reasoning: Scene = async function* (_, pause) {
  yield* say(texts.THOUGHT, pause, { reasoning: true });
  yield* say(texts.CONCLUSION, pause);
  yield* done(texts.CONCLUSION);
};

const tool: Scene = async function* (_, pause) {
  yield* say(texts.BEFORE_TOOL, pause);
  const call = {
    kind: 'tool',
    tool: 'call_weather',
    name: 'get_weather',
    args: { city: 'Reykjavík', unit: 'celsius' },
  } as const;
  yield { ...call, status: 'running', preview: 'Asking the weather service …' };
  await pause(700);
  yield { ...call, status: 'running', preview: 'Reading the forecast for Reykjavík …' };
  await pause(700);
  yield {
    ...call,
    status: 'completed',
    preview: '4 °C, light snow',
    result: { temperature: 4, sky: 'light snow', wind_kmh: 23 },
  };
  yield* say(texts.AFTER_TOOL, pause);
  yield* done(texts.AFTER_TOOL);
};

const buttons: Scene = async function* ({ turn }) {
  yield {
    kind: 'message',
    turn,
    text: 'Which one shall it be? Press one here and look at your other tabs.',
    buttons: [
      { label: 'Tea', custom_id: 'tea', emoji: '🍵', style: 'primary' },
      { label: 'Coffee', custom_id: 'coffee', emoji: '☕', style: 'secondary' },
      { label: 'Nothing', custom_id: 'nothing', style: 'danger' },
    ],
  };
  yield* done('');
};

const file: Scene = async function* ({ conversation }, pause) {
  yield* say('Here are two files: a picture and a table.', pause);
  yield { kind: 'file', conversation, filename: 'starwire.png', mimetype: 'image/png', data: texts.PICTURE };
  yield {
    kind: 'file',
    conversation,
    filename: 'planets.csv',
    mimetype: 'text/csv',
    data: btoa(texts.TABLE),
  };
  yield* done('');
};

const edit: Scene = async function* ({ turn, message_id }, pause) {
  const id = `edited-${message_id}`.slice(0, 64);
  yield { kind: 'message', id, turn, text: 'This message will change in a moment …' };
  await pause(1_200);
  yield { kind: 'edit', id, text: 'This message **has changed** in place, in every tab. ✅' };
  yield* done('');
};

const prompt: Scene = async function* ({ conversation }, pause) {
  yield* say('I need to know one thing before I go on.', pause);
  yield* done('');
  yield {
    kind: 'prompt',
    conversation,
    prompt_kind: 'choice',
    question: 'How should the report be written?',
    choices: ['Short', 'Detailed', 'As a poem'],
  };
};

const form: Scene = async function* ({ conversation }, pause) {
  yield* say('Please fill this in.', pause);
  yield* done('');
  yield {
    kind: 'prompt',
    conversation,
    prompt_kind: 'form',
    question: 'Book a table',
    schema: {
      type: 'object',
      required: ['name', 'guests'],
      properties: {
        name: { type: 'string', title: 'Name' },
        guests: { type: 'integer', title: 'Guests', minimum: 1, maximum: 12 },
        terrace: { type: 'boolean', title: 'On the terrace' },
      },
    },
  };
};

const approval: Scene = async function* ({ conversation }, pause) {
  yield* say('This needs your approval.', pause);
  yield* done('');
  yield { kind: 'prompt', conversation, prompt_kind: 'approval', question: 'Delete 3 old reports?' };
};

const fail: Scene = async function* (_, pause) {
  yield* say('This reply will not come to its', pause);
  await pause(200);
  throw new UpstreamError({
    label: 'Model error',
    type: 'upstream_http',
    message: 'The demo was asked to fail, and did.',
    hint: 'Send another message: nothing else is broken.',
  });
};

const silent: Scene = async function* () {
  // The upstream accepted and says nothing: the turn expires by itself.
};

/** The words that choose a scene, and the scenes. */
export const SCENES: Record<string, Scene> = {
  markdown: saying(texts.MARKDOWN),
  reasoning,
  tool,
  buttons,
  file,
  edit,
  prompt,
  form,
  approval,
  slow: saying(texts.LONG, { word_ms: 400 }),
  fail,
  silent,
};

export const HELP: Scene = saying(texts.HELP);

export const ANSWERS = {
  anything: async function* ({ text, user_name }, pause) {
    const reply = texts.greeting(user_name, text);
    yield* say(reply, pause);
    yield* done(reply);
  } satisfies Scene,
  action: async function* ({ text }, pause) {
    const reply = `You pressed **${text}**. The press counts once, whichever tab it came from.`;
    yield* say(reply, pause);
    yield* done(reply);
  } satisfies Scene,
  answer: async function* ({ extra }, pause) {
    const reply = `Thank you. Your answer: \`${JSON.stringify(extra.value)}\``;
    yield* say(reply, pause);
    yield* done(reply);
  } satisfies Scene,
};

import * as v from 'valibot';
import { StarwireError } from '../../protocol/errors.ts';
import { parse, parseJson } from '../../protocol/parse.ts';
import type { PromptFrame } from '../../protocol/server-frames.ts';
import { answerOf } from '../written-answers.ts';
import { formOf, optionsOf } from './asked.ts';
import { ANSWER_KEY, INPUT_KEY } from './workflow.ts';

/** What a page's frame asks for. */
export type Wish =
  | { does: 'pong' | 'stop' | 'start' | 'resume' }
  | { does: 'switch'; chat: string; flow: string | undefined }
  | { does: 'say'; text: string; extra: Record<string, unknown> }
  | { does: 'answer'; prompt: string; value: unknown };

const Id = v.pipe(v.string(), v.maxLength(128, 'has more than 128 characters'));
const Given = v.optional(v.nullable(Id));
const Text = v.optional(v.nullable(v.string()));
const Fields = v.record(v.string(), v.unknown());

export const Frame = v.object({
  action: Text,
  message: v.optional(v.unknown()),
  inputs: v.optional(v.nullable(Fields)),
  data: v.optional(v.nullable(Fields)),
  chat_id: Given,
  flow_id: Given,
  name: Text,
  description: Text,
  /** P-ID-1: where a client says who it is, it must be true. */
  user_id: v.optional(v.nullable(v.union([v.string(), v.number()]))),
});
export type Frame = v.InferOutput<typeof Frame>;

const Elsewhere = v.object({ id: Given, chatId: Given });

const NodeInput = v.object({
  data: v.optional(v.nullable(Fields)),
  message: v.optional(v.unknown()),
  message_id: v.optional(v.unknown()),
});

const PING = 'ping';

/** A frame as it came: an object, or as JSON a text that is JSON. */
export function readFrame(text: string): Frame {
  if (text === PING) return { action: PING };
  const outer = parseJson(text, 'frame');
  if (outer === PING) return { action: PING };
  return parse(Frame, typeof outer === 'string' ? parseJson(outer, 'frame') : outer, 'frame');
}

/** All that the frame asks for. Throws what is wrong with it. */
export function wishesOf(frame: Frame, prompts: readonly PromptFrame[]): Wish[] {
  const { action, inputs, data } = frame;
  if (action === PING || frame.message === PING) return [{ does: 'pong' }];
  switch (action ?? '') {
    case 'stop':
      return [{ does: 'stop' }];
    case 'init_data':
      return [{ does: 'start' }];
    case 'check_status':
      return [{ does: 'resume' }];
    case 'input':
      return Object.entries(data ?? {}).map(([node, input]) =>
        given(node, parse(NodeInput, input, 'input'), prompts),
      );
    case '':
      return [said(inputs ?? refuse('inputs', 'is missing'), frame, prompts)];
    default:
      return refuse('action', 'must be init_data, check_status, input or stop');
  }
}

/** The names by which skills call what the user says. */
const SPOKEN = ['input', 'question', 'query', 'text'];

function said(inputs: Record<string, unknown>, frame: Frame, prompts: readonly PromptFrame[]): Wish {
  const name = SPOKEN.find((one) => typeof inputs[one] === 'string' && inputs[one] !== '');
  const { data, ...rest } = inputs;
  if (name === undefined) {
    if (typeof data !== 'object' || data === null) return refuse('inputs.input', 'is missing');
    const { id, chatId } = parse(Elsewhere, data, 'data');
    return { does: 'switch', chat: chatId ?? '', flow: id ?? undefined };
  }
  const { [name]: spoken, ...others } = rest;
  const text = String(spoken);
  const prompt = prompts.at(-1);
  const answer = prompt && answerOf(prompt, text);
  if (answer) return { does: 'answer', ...answer };
  return { does: 'say', text, extra: told({ inputs: others, data, ...described(frame) }) };
}

function given(node: string, input: v.InferOutput<typeof NodeInput>, prompts: readonly PromptFrame[]): Wish {
  const { data, message, message_id } = input;
  const values = data ?? {};
  const prompt = prompts.find((one) => one.prompt === node || one.prompt === message_id);
  const text = [values[INPUT_KEY], message, ...Object.values(values)].find(
    (one) => typeof one === 'string' && one !== '',
  );
  if (prompt) {
    const { kind } = prompt;
    if (kind === 'form') return { does: 'answer', prompt: prompt.prompt, value: formOf(prompt, values) };
    const value = values[ANSWER_KEY] ?? message;
    const option = optionsOf(prompt)?.find(({ id, label }) => id === value || label === value);
    return { does: 'answer', prompt: prompt.prompt, value: option?.value ?? value };
  }
  const { [INPUT_KEY]: _, ...others } = values;
  return { does: 'say', text: String(text ?? ''), extra: told({ inputs: others }) };
}

function described({ name, description }: Frame) {
  return { name, description };
}

/** Without what says nothing. */
function told(extra: Record<string, unknown>): Record<string, unknown> {
  const says = (value: unknown): boolean =>
    typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
  return Object.fromEntries(Object.entries(extra).filter(([, value]) => says(value)));
}

function refuse(field: string, why: string): never {
  throw new StarwireError('bad_request', `"${field}" ${why}`, { field });
}

import type { ToolFrame } from '../../protocol/server-frames.ts';
import { buttonList, fileLink, joined } from '../as-markdown.ts';
import { fieldsOf, optionsOf } from './asked.ts';
import { errorFrames, timeout } from './assistant.ts';
import { turnFault } from './codes.ts';
import { type ChatFrame, chatFrame, fileView, type Place } from './frames.ts';
import { extraOf, textOf, type Words } from './words.ts';

/** The node by which the page's input field is known, and its variable. */
export const INPUT_NODE = 'input';
export const INPUT_KEY = 'user_input';
/** The variable that a question's answer is. */
export const ANSWER_KEY = 'answer';
const OUTPUT_NODE = 'output';
const OUTPUT_KEY = 'output';

/**
 * The words of workflows: between `processing/begin` and `processing/close`, nodes that run, one row of text for each reply, and
 * questions that wait for the page's `input`.
 */
export const workflowWords: Words = {
  begin: (place, { turn }) => [chatFrame(place, 'processing', 'begin', { extra: extraOf(turn) })],

  part(place, reply, told, part) {
    switch (part.type) {
      case 'chunk': {
        if (part.text === '' || reply.whole) return [told, []];
        const [msg, reasoning_content] = part.kind === 'text' ? [part.text, ''] : ['', part.text];
        return [
          { ...told, row: true, streamed: true },
          [
            chatFrame(place, 'stream_msg', 'stream', {
              message: { ...outputNode(reply.message), msg, reasoning_content },
              extra: extraOf(reply.turn),
            }),
          ],
        ];
      }
      case 'tool': {
        const { tool, name, status } = part;
        const known = told.tools.some((one) => one.tool === tool);
        const others = told.tools.filter((one) => one.tool !== tool);
        const frames = known ? [] : [nodeRun(place, part, 'start')];
        if (status === 'running') return [{ ...told, tools: [...others, { tool, name }] }, frames];
        return [{ ...told, tools: others }, [...frames, nodeRun(place, part, 'end')]];
      }
      case 'prompt':
        return [told, this.asked(place, part)];
      case 'prompt_closed':
        return [told, part.reason === 'expired' ? errorFrames(place, timeout(), extraOf(reply.turn)) : []];
      default:
        return part satisfies never;
    }
  },

  end(place, reply, told, end) {
    const extra = extraOf(reply.turn);
    const [msg, reasoning_content] = [textOf(reply, 'text'), textOf(reply, 'reasoning')];
    const fields = { message_id: reply.message, extra };
    const message = { ...outputNode(reply.message), msg, reasoning_content };
    const failed = end.status === 'failed' || end.status === 'expired';
    return [
      ...told.tools.map(({ tool: unique_id, name }) =>
        chatFrame(place, 'node_run', 'end', {
          message: { unique_id, node_id: name, name, reason: end.status, log_data: null, input_data: null },
          extra,
        }),
      ),
      ...(told.row ? [chatFrame(place, 'stream_msg', 'end', { ...fields, message })] : []),
      ...(!told.row && msg !== '' ? [chatFrame(place, 'output_msg', 'over', { ...fields, message })] : []),
      ...(failed ? errorFrames(place, turnFault('workflow', end), extra) : []),
      // After its reply a workflow that the page runs waits for the next word; else, and where it broke off, it is over.
      ...(end.status === 'completed' ? [] : [chatFrame(place, 'processing', 'close', { extra })]),
    ];
  },

  after: (place, run) => (run ? [inputFrame(place)] : [chatFrame(place, 'processing', 'close')]),

  asked(place, prompt) {
    const { prompt: message_id, question, kind, turn } = prompt;
    const node = { unique_id: message_id, node_id: message_id, name: '' };
    const fields = { message_id, extra: extraOf(turn) };
    const options = optionsOf(prompt);
    if (options)
      return [
        chatFrame(place, 'output_with_choose_msg', 'over', {
          ...fields,
          message: { ...node, msg: question, key: ANSWER_KEY, output_key: ANSWER_KEY, options },
        }),
      ];
    if (kind === 'form')
      return [
        ...(question === ''
          ? []
          : [
              chatFrame(place, 'output_msg', 'over', {
                extra: fields.extra,
                message: { ...node, msg: question },
              }),
            ]),
        chatFrame(place, 'input', 'over', {
          ...fields,
          message: {
            ...node,
            input_schema: { tab: 'form_input', value: fieldsOf(prompt), key: ANSWER_KEY },
          },
        }),
      ];
    return [
      chatFrame(place, 'output_with_input_msg', 'over', {
        ...fields,
        message: { ...node, msg: question, key: ANSWER_KEY, output_key: ANSWER_KEY, input_msg: '' },
      }),
    ];
  },

  edited: (place, { id, text, buttons }) => [output(place, id, joined([text, buttonList(buttons)]))],

  said(place, told, frame) {
    if (frame.type === 'file') return [told, [output(place, frame.id, fileLink(frame), [fileView(frame)])]];
    return [told, [output(place, frame.id, joined([frame.text, buttonList(frame.buttons)]))]];
  },
};

/** Something that is said whole. */
function output(place: Place, id: string, msg: string, files: ChatFrame['files'] = []): ChatFrame {
  const message = { ...outputNode(id), msg };
  return chatFrame(place, 'output_msg', 'over', { message, message_id: id, files });
}

/** The page may write: what its input field is called. */
export function inputFrame(place: Place): ChatFrame {
  return chatFrame(place, 'input', 'over', {
    message: {
      node_id: INPUT_NODE,
      name: '',
      input_schema: { tab: 'dialog_input', value: [], key: INPUT_KEY },
    },
  });
}

/** What a row of text is the output of. */
export function outputNode(unique_id: string) {
  return { unique_id, node_id: OUTPUT_NODE, name: '', output_key: OUTPUT_KEY };
}

function nodeRun(place: Place, frame: ToolFrame, type: 'start' | 'end'): ChatFrame {
  const { tool: unique_id, name, status, args, result, preview, turn } = frame;
  const ended = {
    reason: status === 'failed' ? (preview ?? 'failed') : null,
    log_data: result ?? preview ?? null,
    input_data: args ?? null,
  };
  return chatFrame(place, 'node_run', type, {
    message: { unique_id, node_id: name, name, ...(type === 'end' ? ended : {}) },
    extra: extraOf(turn),
  });
}

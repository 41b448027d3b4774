import type { ChunkFrame, ToolFrame } from '../../protocol/server-frames.ts';
import { buttonList, fileLink, joined, promptText } from '../as-markdown.ts';
import { fault, INPUT_TIMEOUT, turnFault, type WorkType } from './codes.ts';
import { type ChatFrame, chatFrame, fileView, type Place } from './frames.ts';
import { extraOf, type Reply, type Told, textOf, type Words } from './words.ts';

/**
 * The words of assistants and skills: between `processing/begin` and `processing/close`, rows of `processing` for what a model
 * says, rows for its tools, and the `answer`, which covers what was streamed.
 */
export function assistantWords(work: WorkType): Words {
  return {
    begin: (place, { turn }) => [chatFrame(place, 'processing', 'begin', { extra: extraOf(turn) })],

    part(place, reply, told, part) {
      const extra = extraOf(reply.turn);
      switch (part.type) {
        case 'chunk':
        case 'tool':
          // While the user is asked, nothing may look as if it was processed: they could not write.
          if (told.held) return [{ ...told, held: [...told.held, part] }, []];
          return part.type === 'tool' ? tool(place, told, part) : streamed(place, reply, told, part);
        case 'prompt':
          return [
            { ...told, row: false, held: told.held ?? [] },
            [
              ...rowEnd(place, told, extra),
              ...answer(place, part.prompt, promptText(part), extra),
              chatFrame(place, 'processing', 'close', { extra }),
            ],
          ];
        case 'prompt_closed': {
          if (part.reason === 'cancelled') return [told, []];
          const late = part.reason === 'expired' ? errorFrames(place, timeout(), extra) : [];
          if (reply.parts.some(({ type }) => type === 'prompt')) return [told, late];
          const [next, frames] = goingOn(place, reply, told);
          return [next, [...late, ...frames]];
        }
        default:
          return part satisfies never;
      }
    },

    end(place, reply, before, end) {
      const { status } = end;
      const [told, held] = before.held?.length ? goingOn(place, reply, before) : [before, []];
      const extra = extraOf(reply.turn);
      const [text, reasoning] = [textOf(reply, 'text'), textOf(reply, 'reasoning')];
      const covered = told.streamed && status !== 'cancelled';
      const thought = reasoning !== '' && !covered;
      return [
        ...held,
        ...rowEnd(place, told, extra),
        ...told.tools.map(({ tool: run_id, name }) =>
          chatFrame(place, categoryOf(name), 'end', { extra: extraOf(reply.turn, { run_id }) }),
        ),
        ...(thought ? [chatFrame(place, 'reasoning_answer', 'end', { message: reasoning, extra })] : []),
        ...(text === '' ? [] : answer(place, reply.message, text, extra, covered)),
        ...(status === 'failed' || status === 'expired'
          ? errorFrames(place, turnFault(work, end), extra)
          : []),
        chatFrame(place, 'processing', 'close', { extra }),
      ];
    },

    after: () => [],

    asked: (place, prompt) => answer(place, prompt.prompt, promptText(prompt)),

    edited: (place, { id, text, buttons }) => [
      chatFrame(place, 'answer', 'end_cover', {
        message: joined([text, buttonList(buttons)]),
        message_id: id,
      }),
    ],

    said(place, told, frame) {
      // Rows do not mix: what is streamed goes on in another one.
      const before = told ? rowEnd(place, told, '{}') : [];
      const after =
        frame.type === 'file'
          ? answer(place, frame.id, fileLink(frame), '{}', false, [fileView(frame)])
          : answer(place, frame.id, joined([frame.text, buttonList(frame.buttons)]));
      return [told && { ...told, row: false }, [...before, ...after]];
    },
  };
}

/** An answer's row from its beginning to its end; `covers` what was streamed. */
function answer(
  place: Place,
  message_id: string,
  message: string,
  extra = '{}',
  covers = false,
  files: ChatFrame['files'] = [],
): ChatFrame[] {
  return [
    chatFrame(place, 'answer', 'start', { extra }),
    chatFrame(place, 'answer', covers ? 'end_cover' : 'end', { message, message_id, extra, files }),
  ];
}

function rowEnd(place: Place, { row }: Told, extra: string): ChatFrame[] {
  return row ? [chatFrame(place, 'processing', 'end', { extra })] : [];
}

function streamed(place: Place, { turn, whole }: Reply, told: Told, chunk: ChunkFrame): [Told, ChatFrame[]] {
  if (chunk.text === '' || whole) return [told, []];
  const extra = extraOf(turn);
  const [content, reasoning_content] = chunk.kind === 'text' ? [chunk.text, ''] : ['', chunk.text];
  const stream = chatFrame(place, 'processing', 'stream', { message: { content, reasoning_content }, extra });
  const start = chatFrame(place, 'processing', 'start', { extra });
  return [{ ...told, row: true, streamed: true }, told.row ? [stream] : [start, stream]];
}

/** The reply goes on after its question, with what has come meanwhile. It does not begin again: its turn is not named. */
function goingOn(place: Place, reply: Reply, { held = [], ...told }: Told): [Told, ChatFrame[]] {
  const frames = [chatFrame(place, 'processing', 'begin')];
  let now: Told = told;
  for (const part of held) {
    const [next, said] = part.type === 'tool' ? tool(place, now, part) : streamed(place, reply, now, part);
    now = next;
    frames.push(...said);
  }
  return [now, frames];
}

/** Two ids of tools begin with what they stand for. */
function categoryOf(name: string): string {
  return name.startsWith('flow_') ? 'flow' : name.startsWith('knowledge_') ? 'knowledge' : 'tool';
}

function tool(place: Place, told: Told, frame: ToolFrame): [Told, ChatFrame[]] {
  const { tool: run_id, name, status, args, result, preview = '', turn } = frame;
  const category = categoryOf(name);
  const known = told.tools.some((one) => one.tool === run_id);
  const fields = { extra: extraOf(turn, { run_id }), intermediate_steps: preview };
  const frames = rowEnd(place, told, extraOf(turn));
  if (!known)
    frames.push(
      chatFrame(place, category, 'start', { ...fields, message: { tool_key: name, input: args ?? null } }),
    );
  const others = told.tools.filter((one) => one.tool !== run_id);
  if (status === 'running')
    return [{ ...told, row: false, tools: [...others, { tool: run_id, name }] }, frames];
  frames.push(
    chatFrame(place, category, 'end', {
      ...fields,
      message: { tool_key: name, output: result ?? null, ...(status === 'failed' ? { error: true } : {}) },
    }),
  );
  return [{ ...told, row: false, tools: others }, frames];
}

export function timeout() {
  return fault(INPUT_TIMEOUT, 'The question was not answered in time.');
}

/** What went wrong, as its own row; the socket stays open. */
export function errorFrames(place: Place, message: object, extra = '{}'): ChatFrame[] {
  return [
    chatFrame(place, 'system', 'start', { extra }),
    chatFrame(place, 'error', 'end', { message, extra }),
  ];
}

import { StarwireError } from '../protocol/errors.ts';
import { BOT } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { OutboundOf } from '../protocol/outbound.ts';
import type { EditFrame, FileFrame, MessageFrame, PromptFrame } from '../protocol/server-frames.ts';
import { wellFormed } from '../protocol/text.ts';
import { type Applied, type OnlyTurn, optionalTurn, requireFits } from './applied.ts';
import type { Core } from './core.ts';
import type { FileEvent } from './events.ts';
import { alive, reply } from './turn-life.ts';
import type { OpenTurn } from './turns.ts';

/** Events that are whole in themselves: messages, files, edits, prompts. */

export function message(core: Core, event: OutboundOf<'message'>, only: OnlyTurn): Applied {
  requireFits(core, event.text);
  const buttons = event.buttons ?? event.view;
  const open = optionalTurn(core, event.turn, only);
  if (event.id !== undefined && core.journal.find('message', event.id).length > 0) {
    throw new StarwireError('conflict', 'there is already a message with this id', { field: 'id' });
  }
  const text = wellFormed(event.text);
  const extra = { ...(buttons ? { buttons } : {}), ...(event.reply_to ? { reply_to: event.reply_to } : {}) };
  if (!open) return standalone(core, event, { text, ...extra });

  alive(core, open);
  const { state } = open;
  // The turn's reply is one message under the id that was announced; any other one of the turn stands for itself.
  if (state.reply !== undefined || (event.id !== undefined && event.id !== state.message)) {
    const conversation = state.conversation;
    return standalone(core, { ...event, conversation }, { text, turn: state.turn, ...extra });
  }
  const reasoning = open.reasoning.shown;
  const frame = core.emit<MessageFrame>({
    ...reply(core, open, text),
    ...extra,
    ...(reasoning === '' ? {} : { reasoning }),
  });
  core.turns.replaceText(open, text);
  state.reply = {
    ...(buttons ? { buttons } : {}),
    length: text.length,
    reasoning: open.reasoning.length,
    seq: frame.seq,
  };
  open.dirty = true;
  return { id: frame.id, seq: frame.seq };
}

function standalone(
  core: Core,
  event: OutboundOf<'message'>,
  fields: { text: string; turn?: string },
): Applied {
  const frame = core.emit<MessageFrame>({
    type: 'message',
    id: event.id ?? core.ports.newId('msg'),
    conversation: event.conversation ?? DEFAULT_CONVERSATION,
    role: 'assistant',
    sender: BOT.user_id,
    timestamp: core.timestamp,
    ...fields,
  });
  return { id: frame.id, seq: frame.seq };
}

export function file(core: Core, event: FileEvent, only: OnlyTurn): Applied {
  const open = optionalTurn(core, event.turn, only);
  if (open) alive(core, open);
  const { id, filename, mimetype, size, data, url } = event;
  if (data !== undefined) {
    core.tables.make('blobs');
    core.ports.sql.run('INSERT INTO blobs (id, data) VALUES (?, ?)', id, data);
  }
  const frame = core.emit<FileFrame>({
    type: 'file',
    id,
    conversation: open?.state.conversation ?? event.conversation ?? DEFAULT_CONVERSATION,
    sender: BOT.user_id,
    filename,
    mimetype,
    size,
    timestamp: core.timestamp,
    url: url ?? '',
    ...(open ? { turn: open.state.turn, offset: open.text.shown.length } : {}),
  });
  return { id, seq: frame.seq, url: `webchat://file/${id}/${filename}` };
}

export function edit(core: Core, event: OutboundOf<'edit'>): Applied {
  requireFits(core, event.text);
  let streaming: OpenTurn | undefined;
  for (const open of core.turns.open) if (open.state.message === event.id) streaming = open;
  if (streaming && streaming.state.reply === undefined) {
    throw new StarwireError('conflict', 'the message is still streaming');
  }
  const known = core.journal.find('message', event.id).at(-1) ?? core.recalled.get(event.id);
  if (known?.type !== 'message')
    throw new StarwireError('not_found', 'there is no message with this id', { field: 'id' });
  const text = wellFormed(event.text);
  const buttons = event.buttons ?? event.view;
  if (streaming) alive(core, streaming);
  const frame = core.emit<EditFrame>({
    type: 'edit',
    id: event.id,
    conversation: known.conversation,
    text,
    timestamp: core.timestamp,
    ...(buttons ? { buttons } : {}),
  });
  if (streaming?.state.reply) {
    const { reply } = streaming.state;
    core.turns.replaceText(streaming, text);
    reply.length = text.length;
    reply.seq = frame.seq;
    if (buttons) reply.buttons = buttons;
    streaming.dirty = true;
  }
  return { id: event.id, seq: frame.seq };
}

export function prompt(core: Core, event: OutboundOf<'prompt'>, only: OnlyTurn): Applied {
  const open = optionalTurn(core, event.turn, only);
  const { open_prompts, prompt_ms } = core.ports.limits;
  if (core.prompts.size >= open_prompts) {
    throw new StarwireError('rate_limited', `there are already ${open_prompts} open prompts`);
  }
  if (event.prompt !== undefined && core.prompts.known(event.prompt)) {
    throw new StarwireError('conflict', 'there is already a prompt with this id', { field: 'prompt' });
  }
  const { question, choices, schema, expires_at } = event;
  if (expires_at !== undefined && expires_at * 1000 <= core.now) {
    throw new StarwireError('bad_request', '"expires_at" is in the past', { field: 'expires_at' });
  }
  const kind = event.prompt_kind ?? (schema ? 'form' : choices ? 'choice' : 'text');
  if (kind === 'choice' && !choices)
    throw new StarwireError('bad_request', '"choices" is missing', { field: 'choices' });
  if (open) alive(core, open);
  const frame = core.emit<PromptFrame>({
    type: 'prompt',
    prompt: event.prompt ?? core.ports.newId('prompt'),
    ...(open ? { turn: open.state.turn } : {}),
    conversation: open?.state.conversation ?? event.conversation ?? DEFAULT_CONVERSATION,
    kind,
    question,
    ...(choices ? { choices } : {}),
    ...(schema ? { schema } : {}),
    ...(expires_at === undefined ? {} : { expires_at }),
  });
  core.prompts.add(frame, expires_at === undefined ? core.now + prompt_ms : expires_at * 1000, core.now);
  return { id: frame.prompt, seq: frame.seq };
}

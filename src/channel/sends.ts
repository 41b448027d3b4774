import type {
  ActionCommand,
  AnswerCommand,
  MessageCommand,
  SendCommand,
  SendResult,
} from '../protocol/client-frames.ts';
import { type Delivery, delivery } from '../protocol/delivery.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { AttachmentView, Button, MessageFrame } from '../protocol/server-frames.ts';
import { wellFormed } from '../protocol/text.ts';
import { requireValidAnswer } from './answers.ts';
import type { Core } from './core.ts';
import { closePrompt, openTurn, requireRoomForTurn } from './turn-life.ts';

/** A file that a message refers to, already looked up by the Worker; without it the reference is `not_found`. */
export type KnownFiles = ReadonlyMap<string, Omit<AttachmentView, 'url'>>;

/** A send that has passed every check: `run` changes the channel and tells what to acknowledge. */
interface Checked {
  run(): Omit<SendResult, 'duplicate'>;
}

/** What of a command makes it the same command (P-WS-5). */
function contentOf(command: SendCommand): string {
  const { client_id: _, ...content } = command;
  return JSON.stringify(content);
}

/** The earlier result of the same `client_id`. Throws `idempotency_mismatch` where its content was another. */
export function earlierSend(core: Core, command: SendCommand): SendResult | undefined {
  if (!core.tables.has('sends')) return undefined;
  const row = core.ports.sql.all<{ content: string | null; result: string }>(
    'SELECT content, result FROM sends WHERE client_id = ?',
    command.client_id,
  )[0];
  if (!row) return undefined;
  // What was said in a conversation that has been deleted is not kept for comparing.
  if (row.content !== null && row.content !== contentOf(command)) {
    throw new StarwireError('idempotency_mismatch', 'the client_id was used with other content', {
      field: 'client_id',
    });
  }
  return { ...JSON.parse(row.result), duplicate: true };
}

/** Checks a command completely; throws its refusal. Nothing is changed before `run`, which belongs into `core.commit`. */
export function checkSend(core: Core, command: SendCommand, who: Identity, files: KnownFiles): Checked {
  const checked = check(core, command, who, files);
  return {
    run() {
      const result = checked.run();
      core.tables.make('sends');
      core.ports.sql.run(
        'INSERT INTO sends (client_id, content, result, at) VALUES (?, ?, ?, ?)',
        command.client_id,
        contentOf(command),
        JSON.stringify(result),
        core.now,
      );
      return result;
    },
  };
}

function check(core: Core, command: SendCommand, who: Identity, files: KnownFiles): Checked {
  switch (command.type) {
    case 'message':
      return checkMessage(core, command, who, files);
    case 'action':
      return checkAction(core, command, who);
    case 'answer':
      return checkAnswer(core, command, who);
    default:
      return command satisfies never;
  }
}

function checkMessage(core: Core, command: MessageCommand, who: Identity, files: KnownFiles): Checked {
  const { message_text, attachments_per_message } = core.ports.limits;
  const { text, client_id, reply_to, conversation = DEFAULT_CONVERSATION, extra = {} } = command;
  if (text.length > message_text) {
    throw new StarwireError('too_large', `"text" has more than ${message_text} characters`, {
      field: 'text',
    });
  }
  const wanted = command.attachments ?? [];
  if (wanted.length > attachments_per_message) {
    throw new StarwireError('too_large', `"attachments" has more than ${attachments_per_message} entries`, {
      field: 'attachments',
    });
  }
  if (text === '' && wanted.length === 0)
    throw new StarwireError('bad_request', '"text" is empty', { field: 'text' });
  const attachments = wanted.map(({ id }) => {
    const known = files.get(id);
    if (!known)
      throw new StarwireError('not_found', 'there is no file with this id', { field: 'attachments' });
    return { ...known, url: '' };
  });
  requireRoomForTurn(core);
  return {
    run() {
      const said = say(core, who, {
        conversation,
        text: wellFormed(text),
        client_id,
        attachments,
        ...(reply_to ? { reply_to } : {}),
        ...(Object.keys(extra).length > 0 ? { extra } : {}),
      });
      return begin(core, who, said, { type: 'message', attachments, reply_to_id: reply_to ?? null, extra });
    },
  };
}

function checkAction(core: Core, { message, custom_id, client_id }: ActionCommand, who: Identity): Checked {
  const earlier = core.recalled.get(message);
  const original = core.journal.find('message', message).at(-1) ?? earlier;
  if (original?.type !== 'message')
    throw new StarwireError('not_found', 'there is no message with this id', { field: 'message' });
  const edited = core.journal
    .find('edit', message)
    .findLast((frame) => frame.type === 'edit' && frame.buttons !== undefined);
  const buttons: Button[] = (edited?.type === 'edit' ? edited.buttons : original.buttons) ?? [];
  const button = buttons.find((one) => one.custom_id === custom_id);
  if (!button) throw new StarwireError('not_found', 'the message has no such button', { field: 'custom_id' });
  const before = earlier?.type === 'message' && earlier.pressed?.includes(custom_id);
  if (before || isPressed(core, message, custom_id)) {
    throw new StarwireError('already_answered', 'the button has been pressed before');
  }
  requireRoomForTurn(core);
  return {
    run() {
      core.tables.make('pressed');
      core.ports.sql.run(
        'INSERT INTO pressed (message, custom_id, at) VALUES (?, ?, ?)',
        message,
        custom_id,
        core.now,
      );
      const { conversation } = original;
      const said = say(core, who, {
        conversation,
        text: button.label || button.emoji || custom_id,
        client_id,
        reply_to: message,
        custom_id,
      });
      const extra = { custom_id, message_id: message };
      return begin(core, who, said, { type: 'action', reply_to_id: message, extra });
    },
  };
}

function checkAnswer(core: Core, { prompt, value }: AnswerCommand, who: Identity): Checked {
  const open = core.prompts.get(prompt);
  if (!open) {
    if (core.prompts.known(prompt)) throw new StarwireError('already_answered', 'the prompt is closed');
    throw new StarwireError('not_found', 'there is no such prompt', { field: 'prompt' });
  }
  requireValidAnswer(open.frame, value);
  const { conversation } = open.frame;
  const running = open.frame.turn === undefined ? undefined : core.turns.get(open.frame.turn);
  if (!running) requireRoomForTurn(core);
  return {
    run() {
      const seq = closePrompt(core, prompt, 'answered', value);
      const turn = running?.state.turn ?? core.ports.newId('turn');
      const sent = deliver(core, who, {
        type: 'answer',
        conversation,
        turn,
        seq,
        message_id: prompt,
        text: textOf(value),
        extra: { prompt, value },
      });
      if (running) {
        running.state.active_at = core.now;
        running.dirty = true;
        core.outbox.add(turn, conversation, { type: 'deliver', delivery: sent });
      } else openTurn(core, turn, conversation, { type: 'start', delivery: sent });
      return { id: prompt, seq, conversation, turn };
    },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Said = Pick<
  MessageFrame,
  'conversation' | 'text' | 'client_id' | 'reply_to' | 'attachments' | 'custom_id' | 'extra'
>;

/** Journals what the user said, as the first frame of a turn that does not exist yet. */
function say(core: Core, who: Identity, { attachments = [], ...said }: Said): MessageFrame {
  // A key knows its user by id alone.
  if (who.name !== who.user || core.journal.name === '') core.journal.called(who.name);
  return core.emit<MessageFrame>({
    type: 'message',
    id: core.ports.newId('msg'),
    role: 'user',
    sender: who.user,
    timestamp: core.timestamp,
    turn: core.ports.newId('turn'),
    ...(attachments.length > 0 ? { attachments } : {}),
    ...said,
  });
}

/** Opens the turn that answers a message. */
function begin(
  core: Core,
  who: Identity,
  said: MessageFrame,
  fields: Pick<Delivery, 'type'> & Partial<Delivery>,
) {
  const { id, seq, conversation, text, turn = '' } = said;
  const sent = deliver(core, who, { conversation, turn, seq, message_id: id, text, ...fields });
  openTurn(core, turn, conversation, { type: 'start', delivery: sent });
  return { id, seq, conversation, turn };
}

export function deliver(
  core: Core,
  who: Identity,
  fields: Pick<Delivery, 'type' | 'conversation' | 'turn' | 'seq' | 'message_id' | 'text'> &
    Partial<Delivery>,
): Delivery {
  const { url } = core.links;
  // The address by which the client came is known here and now; whoever delivers signs anew.
  const attachments = fields.attachments?.map((one) => ({ ...one, url: url(one.id, one.filename) }));
  return delivery({
    tenant: who.tenant,
    channel_id: core.ports.name,
    user_id: who.user,
    user_name: who.name,
    avatar: who.avatar,
    timestamp: core.timestamp,
    ...fields,
    ...(attachments ? { attachments } : {}),
  });
}

function isPressed({ tables, ports: { sql } }: Core, message: string, custom_id: string): boolean {
  return (
    tables.has('pressed') &&
    sql.all('SELECT 1 FROM pressed WHERE message = ? AND custom_id = ?', message, custom_id).length > 0
  );
}

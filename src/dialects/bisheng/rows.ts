import type { ConversationView } from '../../protocol/conversations.ts';
import type { HistoryRow } from '../../protocol/history.ts';
import { BOT } from '../../protocol/identity.ts';
import type { TurnFrame } from '../../protocol/server-frames.ts';
import { buttonList, fileLink, joined } from '../as-markdown.ts';
import { type Fault, FLOW_TYPES, turnFault, type WorkType } from './codes.ts';
import { fileView } from './frames.ts';
import { extraOf } from './words.ts';
import { outputNode } from './workflow.ts';

/** The app of a chat, as the first message of the chat told it. */
export interface App {
  work: WorkType;
  flow: string;
  name: string;
  description: string;
}

export function appOf(extra: Record<string, unknown> = {}): App {
  const { work_type, flow_id, name, description } = extra;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    // A chat that began on a native client is any assistant's.
    work: work_type === 'workflow' || work_type === 'flow' ? work_type : 'assistant',
    flow: text(flow_id),
    name: text(name),
    description: text(description),
  };
}

/** What of a message is the user's opinion. */
interface Opinion {
  liked: number;
  copied: number;
  comment: string;
}

/** A reply that its user stopped, as the original marks it. */
const STOPPED = 'break_answer';

/** A row of a chat's history, as Bisheng's `chatmessage` has it: lists and objects are JSON. */
export function rowOf(row: HistoryRow, app: App, user_id: string, { liked, copied, comment }: Opinion) {
  const is_bot = row.type === 'file' || row.role === 'assistant';
  const files = row.type === 'file' ? [row] : (row.attachments ?? []);
  const said = is_bot
    ? answerOf(row, app.work)
    : { category: 'question', type: 'human', message: textOf(row) };
  const at = iso(row.timestamp);
  return {
    id: row.id,
    is_bot: is_bot ? 1 : 0,
    source: 0,
    mark_status: 1,
    mark_user: null,
    mark_user_name: null,
    ...said,
    extra: extraOf(row.turn, reasoningOf(row)),
    flow_id: app.flow,
    chat_id: row.conversation,
    user_id,
    liked,
    solved: 0,
    copied,
    sensitive_status: 1,
    sender: is_bot ? BOT.user_id : row.sender,
    receiver: null,
    intermediate_steps: row.tools?.map(({ name, status }) => `${name}: ${status}`).join('\n') ?? '',
    files: JSON.stringify(files.map(fileView)),
    remark: comment || (row.status === 'cancelled' ? STOPPED : ''),
    create_time: at,
    update_time: row.edited_at === undefined ? at : iso(row.edited_at),
  };
}

function answerOf(row: HistoryRow, work: WorkType): { category: string; type: string; message: string } {
  const text = textOf(row);
  const fault = faultOf(row, work);
  if (text === '' && fault) return { category: 'error', type: 'end', message: JSON.stringify(fault) };
  return work === 'workflow'
    ? { category: 'output_msg', type: 'over', message: JSON.stringify({ ...outputNode(row.id), msg: text }) }
    : { category: 'answer', type: 'end', message: text };
}

function textOf(row: HistoryRow): string {
  return row.type === 'file' ? fileLink(row) : joined([row.text, buttonList(row.buttons)]);
}

function reasoningOf(row: HistoryRow): object {
  return row.type === 'message' && row.reasoning !== undefined ? { reasoning: row.reasoning } : {};
}

/** Why a reply broke off. */
function faultOf(row: HistoryRow, work: WorkType): Fault | undefined {
  const { status, error, turn = '', conversation, seq, id: message } = row;
  if (status === undefined || status === 'cancelled') return undefined;
  const frame: TurnFrame = { type: 'turn', seq, turn, conversation, message, status };
  return turnFault(work, error ? { ...frame, error } : frame);
}

/** A chat of the list, as Bisheng's `message_session` has it. */
export function chatOf(
  { id, title, created_at, updated_at, last_message }: ConversationView,
  app: App,
  user_id: string,
) {
  return {
    chat_id: id,
    name: title,
    flow_id: app.flow,
    flow_type: FLOW_TYPES[app.work],
    flow_name: app.name,
    flow_description: app.description,
    flow_logo: '',
    user_id,
    is_delete: false,
    create_time: iso(created_at),
    update_time: iso(updated_at),
    latest_message: last_message && {
      id: last_message.id,
      is_bot: last_message.role === 'assistant' ? 1 : 0,
      message: last_message.text,
      create_time: iso(last_message.timestamp),
    },
  };
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

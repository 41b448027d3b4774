import type { ConversationView } from '../../protocol/conversations.ts';
import type { HistoryRow } from '../../protocol/history.ts';
import type { MessageFrame } from '../../protocol/server-frames.ts';
import { fileLink } from '../as-markdown.ts';
import { apperror } from './ends.ts';

/** A conversation as its clients have it: a session. */

export interface ActiveRun {
  turn: string;
  /** Unix seconds. */
  started_at: number;
}

/** The fields of a session without its messages. */
export function sessionOf(view: ConversationView, message_count: number, active: ActiveRun | undefined) {
  const { id, title, created_at, updated_at, last_message } = view;
  return {
    ...{ session_id: id, title, workspace: '', model: null, model_provider: null, message_count },
    ...{ created_at, updated_at, last_message_at: last_message?.timestamp ?? updated_at },
    ...{ pinned: false, archived: false, project_id: null, profile: null, read_only: false },
    active_stream_id: active?.turn ?? null,
    pending_user_message: null,
    pending_started_at: active?.started_at ?? null,
    is_streaming: active !== undefined,
  };
}

/** Rows (oldest first) as messages. What was interrupted keeps its text, marked, and is followed by why. */
export function messagesOf(rows: readonly HistoryRow[]): Record<string, unknown>[] {
  return rows.flatMap((row): Record<string, unknown>[] => {
    if (row.type === 'file') return [{ ...said('assistant', fileLink(row), row), _file: true }];
    const { role, text, reasoning, status, error } = row;
    const base = {
      ...said(role, status === undefined ? text : withoutThinking(text), row),
      ...(row.attachments ? { attachments: row.attachments.map(attachment) } : {}),
      ...(reasoning === undefined ? {} : { reasoning }),
    };
    if (status === undefined) return [{ ...base, ...toolCalls('tool_calls', row) }];
    const content =
      status === 'cancelled' ? 'Task cancelled.' : error ? failure(error) : `The run was ${status}.`;
    const marker = { ...said('assistant', content, row), id: `${row.id}.end`, _error: true };
    return [{ ...base, _partial: true, ...toolCalls('_partial_tool_calls', row) }, marker];
  });
}

function said(role: 'user' | 'assistant', content: string, { id, timestamp }: HistoryRow) {
  return { id, role, content, timestamp };
}

function failure(error: Parameters<typeof apperror>[0]): string {
  const { label, message } = apperror(error);
  return `**${String(label)}:** ${String(message)}`;
}

function toolCalls(name: 'tool_calls' | '_partial_tool_calls', { tools = [] }: HistoryRow) {
  const calls = tools.map(({ tool, name: called, args = {}, status, preview }) => ({
    ...{ tid: tool, name: called, args, done: status !== 'running', is_error: status === 'failed' },
    ...(preview === undefined ? {} : { preview }),
  }));
  return calls.length === 0 ? {} : { [name]: calls };
}

function attachment({ id, filename, mimetype, size, url }: NonNullable<MessageFrame['attachments']>[number]) {
  return { id, name: filename, path: url, mime: mimetype, size, is_image: mimetype.startsWith('image/') };
}

/** A reply that broke off may have broken off while it thought aloud. */
function withoutThinking(text: string): string {
  const said = text.replaceAll(/<(think|thinking)>[\s\S]*?(?:<\/\1>|$)/g, '');
  return said === text ? text : said.trim();
}

/** The tokens of all replies. */
export function usageOf(rows: readonly HistoryRow[]) {
  const sum = { input_tokens: 0, output_tokens: 0, estimated_cost: 0 };
  for (const { usage = {} } of rows) {
    const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
    sum.input_tokens += number(usage.prompt_tokens ?? usage.input_tokens);
    sum.output_tokens += number(usage.completion_tokens ?? usage.output_tokens);
    sum.estimated_cost += number(usage.estimated_cost);
  }
  return sum;
}

import type { HistoryPage, HistoryRow } from '../protocol/history.ts';
import { isServerFrame } from './decode.ts';

/** A call to `/api` that the server refused, or that did not reach it (`status` 0). */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}

export interface HistoryQuery {
  /** `https://host`. */
  base: string;
  token: string;
  conversation: string;
  limit: number;
  before?: number;
  fetch: typeof fetch;
}

/** `GET /api/conversations/{id}/messages`. Throws {@link HttpError}. */
export async function fetchHistory({
  base,
  token,
  conversation,
  limit,
  before,
  fetch,
}: HistoryQuery): Promise<HistoryPage> {
  const url = new URL(`/api/conversations/${encodeURIComponent(conversation)}/messages`, base);
  url.searchParams.set('limit', String(limit));
  if (before !== undefined) url.searchParams.set('before', String(before));
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined);
  if (!response) throw new HttpError(0, 'the server cannot be reached');
  if (!response.ok) throw new HttpError(response.status, `history: ${response.status}`);
  return readPage(await response.json());
}

function readPage(body: unknown): HistoryPage {
  if (typeof body !== 'object' || body === null || !('messages' in body) || !Array.isArray(body.messages)) {
    throw new HttpError(200, 'history: not a page');
  }
  const next = 'next' in body && typeof body.next === 'number' ? body.next : null;
  return { messages: body.messages.filter(isRow), next };
}

function isRow(value: unknown): value is HistoryRow {
  if (!isServerFrame(value) || (value.type !== 'message' && value.type !== 'file')) return false;
  return !('tools' in value) || (Array.isArray(value.tools) && value.tools.every((tool) => isTool(tool)));
}

/** Rows may leave out of a tool what the row itself says: its type and conversation. */
function isTool(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'tool' in value && 'name' in value && 'status' in value
  );
}

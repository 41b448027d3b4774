import type { HistoryPage, HistoryRow } from '../protocol/history.ts';
import { isServerFrame } from './decode.ts';
import type { TokenSource } from './token.ts';

/** A call to `/api` that the server refused, or that did not reach it (`status` 0). */
export class HttpError extends Error {
  readonly status: number;
  /** One of the contract's codes; empty where the answer named none. */
  readonly code: string;

  constructor(status: number, message: string, code = '') {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
  }
}

/** Where a page of a list goes on; what it is made of is the server's own affair. */
export type ListCursor = string | number;

export interface ConversationSummary {
  id: string;
  title: string;
  /** Unix seconds. */
  updated_at: number;
  last_message?: { text: string; role?: string };
}

export interface SearchResult {
  message: HistoryRow;
  conversation: { id: string; title: string };
  snippet: string;
}

export interface ListPage<T> {
  items: readonly T[];
  next: ListCursor | null;
}

export interface ApiOptions {
  /** `https://host`. */
  base: string;
  token: TokenSource;
  fetch?: typeof fetch;
}

interface Request {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Readonly<Record<string, ListCursor | undefined>>;
  body?: unknown;
  signal?: AbortSignal;
  /** Goes on when the page is left. */
  keepalive?: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** The HTTP side of a client (section 3 of the contract). Every call throws {@link HttpError}. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async history(conversation: string, limit: number, before?: number): Promise<HistoryPage> {
    const path = `/api/conversations/${encodeURIComponent(conversation)}/messages`;
    const body = await this.#call(path, { query: { limit, before } });
    const { messages, next } = body;
    if (!Array.isArray(messages)) throw new HttpError(200, 'history: not a page');
    return { messages: messages.filter(isRow), next: typeof next === 'number' ? next : null };
  }

  async conversations(limit: number, before?: ListCursor): Promise<ListPage<ConversationSummary>> {
    const body = await this.#call('/api/conversations', { query: { limit, before } });
    return { items: listOf(body['conversations'], summaryOf), next: cursorOf(body) };
  }

  async rename(conversation: string, title: string): Promise<void> {
    const path = `/api/conversations/${encodeURIComponent(conversation)}`;
    await this.#call(path, { method: 'PATCH', body: { title } });
  }

  async remove(conversation: string, { keepalive = false } = {}): Promise<void> {
    const path = `/api/conversations/${encodeURIComponent(conversation)}`;
    await this.#call(path, { method: 'DELETE', keepalive });
  }

  async search(q: string, limit: number, signal?: AbortSignal): Promise<ListPage<SearchResult>> {
    const body = await this.#call('/api/search', { query: { q, limit }, ...(signal ? { signal } : {}) });
    return { items: listOf(body['results'], resultOf), next: cursorOf(body) };
  }

  /** A new turn for the same message of the user. Returns its id. */
  async regenerate(turn: string): Promise<string> {
    const body = await this.#call(`/api/turns/${encodeURIComponent(turn)}/regenerate`, { method: 'POST' });
    return String(body['turn'] ?? '');
  }

  /** Everything of the user, as NDJSON. */
  async export(): Promise<Blob> {
    return (await this.#response('/api/export', {})).blob();
  }

  async #call(path: string, request: Request): Promise<Json> {
    const response = await this.#response(path, request);
    const body: unknown = response.status === 204 ? {} : await response.json().catch(() => undefined);
    if (!isRecord(body)) throw new HttpError(response.status, `${path}: not an answer of this server`);
    return body;
  }

  /** A refused token is replaced once. */
  async #response(path: string, request: Request): Promise<Response> {
    const first = await this.#fetch(path, request, await this.#options.token('start'));
    const response =
      first.status === 401 ? await this.#fetch(path, request, await this.#options.token('refused')) : first;
    if (response.ok) return response;
    const { error }: Json = await response.json().catch(() => ({}));
    const { message, code } = isRecord(error) ? error : {};
    throw new HttpError(response.status, textOf(message) || `${path}: ${response.status}`, textOf(code));
  }

  async #fetch(path: string, request: Request, token = ''): Promise<Response> {
    const { base, fetch = globalThis.fetch } = this.#options;
    const { method = 'GET', query = {}, body, signal, keepalive } = request;
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const init: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
      ...(keepalive ? { keepalive } : {}),
    };
    try {
      return await fetch(url, init);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new HttpError(0, 'the server cannot be reached');
    }
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function listOf<T>(value: unknown, read: (one: Json) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) throw new HttpError(200, 'not a list');
  return value
    .filter(isRecord)
    .map(read)
    .filter((one) => one !== undefined);
}

function cursorOf({ next }: Json): ListCursor | null {
  return typeof next === 'number' || (typeof next === 'string' && next !== '') ? next : null;
}

function summaryOf({ id, title, updated_at, last_message }: Json): ConversationSummary | undefined {
  if (typeof id !== 'string') return undefined;
  const last = isRecord(last_message) ? last_message : { text: last_message };
  return {
    id,
    title: textOf(title),
    updated_at: typeof updated_at === 'number' ? updated_at : 0,
    ...(last_message === undefined || last_message === null
      ? {}
      : {
          last_message: {
            text: textOf(last['text']) || textOf(last['filename']),
            role: textOf(last['role']),
          },
        }),
  };
}

function resultOf({ message, conversation, snippet }: Json): SearchResult | undefined {
  if (!isRow(message) || !isRecord(conversation)) return undefined;
  const { id, title } = conversation;
  return {
    message,
    conversation: { id: textOf(id) || message.conversation, title: textOf(title) },
    snippet: textOf(snippet),
  };
}

function isRow(value: unknown): value is HistoryRow {
  if (!isServerFrame(value) || (value.type !== 'message' && value.type !== 'file')) return false;
  return !('tools' in value) || (Array.isArray(value.tools) && value.tools.every((tool) => isTool(tool)));
}

/** Rows may leave out of a tool what the row itself says: its type and conversation. */
function isTool(value: unknown): boolean {
  return isRecord(value) && 'tool' in value && 'name' in value && 'status' in value;
}

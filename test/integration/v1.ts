import { expect } from 'vitest';
import type { OutboundResult } from '../../src/protocol/outbound.ts';
import type { World } from './world.ts';

/** What the `/v1` tests share: calls of both sides, and server-sent events as they are on the wire. */

/** A block of a server-sent event stream: a comment, or the fields of an event as they were written. */
export interface Block {
  comment?: string;
  id?: string;
  event?: string;
  data?: string;
  /** Bytes of the block. */
  size: number;
}

/** The data of a `/v1` event, as far as the tests look into it. */
export interface Completion {
  id?: string;
  object?: string;
  model?: string;
  created?: number;
  choices?: {
    index: number;
    delta: { role?: string; content?: string; reasoning_content?: string };
    finish_reason: string | null;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  error?: { message: string; type: string; param: string | null; code: string | null };
}

export interface DataEvent {
  id: string;
  /** undefined: `[DONE]`. */
  data: Completion | undefined;
}

/** An API key of the development sign-in. */
export async function apiKey(world: World, user: string): Promise<string> {
  const { status, body } = await world.http<{ api_key: string }>('/dev/api-key', { body: { user } });
  expect(status).toBe(200);
  return body.api_key;
}

export interface TurnFacts {
  turn: string;
  channel: string;
  conversation: string;
  status: string;
  text_length: number;
  reasoning_length: number;
}

/** What `GET /internal/turns/{turn}` says. */
export async function turnFacts(world: World, turn: string): Promise<TurnFacts> {
  const { status, body } = await world.internal<TurnFacts>(`/turns/${turn}`);
  expect(status).toBe(200);
  return body;
}

export const statusOf = async (world: World, turn: string): Promise<string> =>
  (await turnFacts(world, turn)).status;

/** Posts events as an upstream does, and expects each to be applied. */
export async function send(world: World, ...events: object[]): Promise<OutboundResult[]> {
  const { status, body } = await world.outbound(events);
  expect(status).toBe(200);
  expect(body.results.flatMap(({ error }) => error ?? [])).toEqual([]);
  return body.results;
}

/** Posts a chat completion. */
export function complete(
  world: World,
  key: string,
  body: object,
  { headers = {}, ...options }: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${world.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'any', messages: [{ role: 'user', content: 'hello' }], ...body }),
    ...options,
  });
}

/** Resumes a stream after an event. */
export function resume(world: World, key: string, request: string, last?: string): Promise<Response> {
  return fetch(`${world.origin}/v1/streams/${request}`, {
    headers: { authorization: `Bearer ${key}`, ...(last === undefined ? {} : { 'last-event-id': last }) },
  });
}

export const requestIdOf = (response: Response): string => response.headers.get('x-request-id') ?? '';

/** The blocks of a stream as they arrive. Throws where the connection breaks. */
export async function* blocks(response: Response): AsyncGenerator<Block> {
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    rest += decoder.decode(bytes, { stream: true });
    const whole = rest.split('\n\n');
    rest = whole.pop() ?? '';
    for (const text of whole) yield blockOf(text);
  }
  expect(rest).toBe('');
}

function blockOf(text: string): Block {
  const block: Block = { size: new TextEncoder().encode(text).byteLength + 2 };
  for (const line of text.split('\n')) {
    const [, field = '', value = ''] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
    if (field === '') block.comment = value;
    else if (field === 'id' || field === 'event' || field === 'data') block[field] = value;
    else expect.fail(`an unknown field: ${line}`);
  }
  return block;
}

/** The events of a stream that carry data, without its comments. */
export async function* events(response: Response): AsyncGenerator<DataEvent> {
  for await (const { id, data } of blocks(response)) {
    if (data === undefined) continue;
    yield { id: id ?? '', data: data === '[DONE]' ? undefined : JSON.parse(data) };
  }
}

/** A stream to its end. */
export function all(response: Response): Promise<DataEvent[]> {
  return Array.fromAsync(events(response));
}

/** What a client makes of a stream: finish reasons, errors, usages and ends are as often there as they came. */
export interface Told {
  content: string;
  reasoning: string;
  finishes: string[];
  errors: NonNullable<Completion['error']>[];
  usages: NonNullable<Completion['usage']>[];
  ends: number;
}

export function told(list: readonly DataEvent[]): Told {
  const sum: Told = { content: '', reasoning: '', finishes: [], errors: [], usages: [], ends: 0 };
  for (const { data } of list) {
    if (data === undefined) sum.ends += 1;
    if (data?.error) sum.errors.push(data.error);
    if (data?.usage) sum.usages.push(data.usage);
    for (const { delta, finish_reason } of data?.choices ?? []) {
      sum.content += delta.content ?? '';
      sum.reasoning += delta.reasoning_content ?? '';
      if (finish_reason !== null) sum.finishes.push(finish_reason);
    }
  }
  return sum;
}

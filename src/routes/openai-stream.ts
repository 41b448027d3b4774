import {
  endsTurn,
  failure,
  type OpenAiError,
  type OpenAiEvent,
  type OpenAiState,
  openaiDown,
} from '../dialects/openai.ts';
import type { AttachRequest } from '../objects/attach-request.ts';
import { formatPosition, type Position, parsePosition } from '../protocol/cursor.ts';
import type { Usage } from '../protocol/server-frames.ts';
import { Relay, type RelayTarget } from './relay.ts';
import { sse } from './sse.ts';

/** A `/v1` stream that is to be read, and from where. */
export interface StreamSource {
  stub: RelayTarget;
  attach: AttachRequest;
  position: Position;
  /** Events of the next frame that were sent before: those of one frame share its place. */
  skip: number;
  state: OpenAiState;
}

/** An event with its id: the place before the frame and how many of its events have gone, or the place after it. */
interface Placed {
  id: string;
  event: OpenAiEvent;
}

/** The stream's events, to its end. A lost object is an error event, never a bare cut (P-OA-4). */
async function* eventsOf(source: StreamSource, relay: Relay): AsyncGenerator<Placed> {
  let { state, skip } = source;
  let before = source.position;
  for await (const { frame } of relay.frames()) {
    const [next, events] = openaiDown(state, frame);
    state = next;
    const after = snapshotOf(relay.position);
    const last = events.length - 1;
    for (const [i, event] of events.entries()) {
      if (i >= skip) yield { id: i === last ? idOf(after) : `${idOf(before)}!${i + 1}`, event };
    }
    if (events.length > 0) skip = 0;
    before = after;
    if (state.finished) return;
    // A stream that had ended before has nothing left but its end.
    if (frame.type === 'ready' && after.turns.size === 0) return yield { id: idOf(after), event: '[DONE]' };
  }
}

function snapshotOf({ cursor, turns }: Position): Position {
  return { ...(cursor ? { cursor } : {}), turns: new Map(turns) };
}

function idOf({ cursor, turns }: Position): string {
  return cursor ? formatPosition(cursor, turns) : '0';
}

/** Reads an event id back: where the stream stood, and how many events of the next frame were sent. */
export function parseEventId(id: string): { position: Position; skip: number } | undefined {
  const [place = '', skip = '0'] = id.split('!', 2);
  const position = parsePosition(place);
  return position && /^\d{1,4}$/.test(skip) ? { position, skip: Number(skip) } : undefined;
}

/** P-OA-3. */
export function streamed(source: StreamSource, heartbeat_ms: number): Response {
  const relay = relayOf(source);
  const headers = { 'x-request-id': source.state.id };
  return sse({ headers, heartbeat_ms, heartbeat: 'ping', closed: () => relay.close() }, async (writer) => {
    let done = false;
    try {
      for await (const { id, event } of eventsOf(source, relay)) {
        done = event === '[DONE]';
        await writer.event({ id, data: done ? '[DONE]' : JSON.stringify(event) });
      }
    } finally {
      if (!done) {
        const error = {
          message: 'The stream was interrupted.',
          type: 'server_error',
          param: null,
          code: 'internal',
        };
        const id = idOf(relay.position);
        await writer.event({ id, data: JSON.stringify({ error }) });
        await writer.event({ id, data: '[DONE]' });
      }
    }
  });
}

export interface Collected {
  content: string;
  reasoning: string;
  finish_reason: string;
  usage?: Usage;
  error?: OpenAiError;
}

/** The whole of a stream, for `stream: false`. */
export async function collect(source: StreamSource): Promise<Collected> {
  const relay = relayOf(source);
  const collected: Collected = { content: '', reasoning: '', finish_reason: 'stop' };
  let { state } = source;
  for await (const { frame } of relay.frames()) {
    const [next, events] = openaiDown(state, frame);
    state = next;
    for (const event of events) add(collected, event);
    if (!endsTurn(frame, state.id)) continue;
    if (frame.status !== 'completed') collected.error = failure(frame);
    if (frame.usage) collected.usage = frame.usage;
    collected.finish_reason = frame.finish_reason ?? 'stop';
    return collected;
  }
  return {
    ...collected,
    error: { message: 'The stream was interrupted.', type: 'server_error', code: 'internal' },
  };
}

function add(collected: Collected, event: OpenAiEvent): void {
  if (event === '[DONE]' || !Array.isArray(event.choices)) return;
  const { delta } = event.choices[0] ?? {};
  if (typeof delta?.content === 'string') collected.content += delta.content;
  if (typeof delta?.reasoning_content === 'string') collected.reasoning += delta.reasoning_content;
}

function relayOf({ stub, attach, position }: StreamSource): Relay {
  return new Relay(stub, { ...attach, from_start: true }, position);
}

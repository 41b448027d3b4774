import { type OpenAiEvent, type OpenAiState, openaiDown } from '../dialects/openai.ts';
import { type OpenAiWhole, openaiWhole, wholeDown } from '../dialects/openai-whole.ts';
import type { AttachRequest } from '../objects/attach-request.ts';
import type { Position } from '../protocol/cursor.ts';
import { log } from '../protocol/log.ts';
import { eventId } from './openai-event-id.ts';
import { Relay, type RelayTarget } from './relay.ts';
import { sse } from './sse.ts';

/** A `/v1` stream that is to be read, and from where. */
export interface StreamSource {
  stub: () => RelayTarget;
  attach: AttachRequest;
  position: Position;
  state: OpenAiState;
}

interface Placed {
  id: string;
  event: OpenAiEvent;
}

/** The stream's events, to its end. */
async function* eventsOf({ state, position }: StreamSource, relay: Relay): AsyncGenerator<Placed> {
  let now = state;
  let before = position;
  let open = false;
  for await (const { frame } of relay.frames()) {
    const [next, sent] = openaiDown(now, frame);
    const after = snapshotOf(relay.position);
    for (const [i, { event, state: at }] of sent.entries()) {
      // In the middle of a frame the stream stands before it: resumed from there, the frame comes again.
      yield { id: i === sent.length - 1 ? eventId(after, next) : eventId(before, at, true), event };
    }
    now = next;
    before = after;
    if (now.finished) return;
    if (frame.type === 'turn') open = true;
    // A stream that had ended before has nothing left but its end.
    if (frame.type === 'ready' && !open) return yield { id: eventId(after, now), event: '[DONE]' };
  }
}

function snapshotOf({ cursor, turns }: Position): Position {
  return { ...(cursor ? { cursor } : {}), turns: new Map(turns) };
}

const INTERRUPTED = {
  message: 'The stream was interrupted.',
  type: 'server_error',
  code: 'internal',
};

/** As JSON without the line ends of Unicode, at which some clients split lines. */
function dataOf(event: OpenAiEvent): string {
  if (event === '[DONE]') return event;
  return JSON.stringify(event).replaceAll(
    /[\u0085\u2028\u2029]/g,
    (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** P-OA-3. A lost object is an error event and a clean end, never a bare cut (P-OA-4). */
export function streamed(
  source: StreamSource,
  { heartbeat_ms, allowed }: { heartbeat_ms: number; allowed: () => Promise<boolean> },
): Response {
  const relay = relayOf(source);
  const { state } = source;
  const headers = { 'x-request-id': state.id };
  const closed = () => relay.close();
  return sse({ headers, heartbeat_ms, heartbeat: 'ping', allowed, closed }, async (writer) => {
    let last = eventId(source.position, state);
    try {
      for await (const { id, event } of eventsOf(source, relay)) {
        await writer.event({ id, data: dataOf(event) });
        if (event === '[DONE]') return;
        last = id;
      }
    } catch (error) {
      log('warn', 'stream interrupted', { request: state.id, error });
    }
    // Whoever resumes from here goes on behind the last event that was given.
    await writer.event({ id: last, data: dataOf({ error: { ...INTERRUPTED, param: null } }) });
    await writer.event({ id: last, data: '[DONE]' });
  });
}

/** The whole of a stream, for `stream: false`. */
export async function collect(
  source: StreamSource,
): Promise<OpenAiWhole & { end: NonNullable<OpenAiWhole['end']> }> {
  const relay = relayOf(source);
  let whole = openaiWhole(source.state);
  for await (const { frame } of relay.frames()) {
    whole = wholeDown(whole, frame);
    const { end } = whole;
    if (end) return { ...whole, end };
  }
  return { ...whole, end: { finish_reason: 'error', error: INTERRUPTED } };
}

function relayOf({ stub, attach, position }: StreamSource): Relay {
  return new Relay(stub, { ...attach, from_start: true }, position);
}

import { is } from 'valibot';
import type { TurnRecord } from '../../channel/turn-record.ts';
import type { Place } from '../../dialects/hermes/place.ts';
import { framesOf, replayFrom } from '../../dialects/hermes/replay.ts';
import { hermesDown, type RunState } from '../../dialects/hermes/run.ts';
import type { RunEvent } from '../../dialects/hermes/run-writer.ts';
import type { Position } from '../../protocol/cursor.ts';
import type { HistoryPage } from '../../protocol/history.ts';
import type { Identity } from '../../protocol/identity.ts';
import { PlainId } from '../../protocol/ids.ts';
import { log } from '../../protocol/log.ts';
import { isTerminal } from '../../protocol/server-frames.ts';
import { type Ctx, hubOf, use } from '../app.ts';
import { relayOf } from '../attach.ts';
import { entranceOf } from '../entrance.ts';
import { Relay } from '../relay.ts';
import { type SseWriter, sse } from '../sse.ts';
import { callerHolds, DIALECT, sessionWith } from './answers.ts';

/** Runs as they are read: a run is a turn. */

/** Everything that is stored of a run; undefined where the caller has no such run. */
export async function recordOf(c: Ctx, who: Identity, run: string): Promise<TurnRecord | undefined> {
  if (!is(PlainId, run)) return undefined;
  const { origin } = new URL(c.req.url);
  const json = await hubOf(c, who).turnRecord(run, origin);
  if (json === undefined) return undefined;
  const record: TurnRecord = JSON.parse(json);
  if (record.frames.length > 0) return record;
  // The journal was cut behind it: its row of history stands where the turn began.
  const page = await hubOf(c, who).history(record.conversation, record.opened + 1, 1, origin);
  const { messages }: HistoryPage = JSON.parse(page);
  const row = messages.find(({ id }) => id === record.message);
  return { ...record, frames: framesOf(record, row) };
}

/** Silence after which its clients take a stream for dead is longer than this. */
const HEARTBEAT_MS = 5_000;

/** A stream of events, with the heartbeats that its clients expect. */
export function eventStream(
  c: Ctx,
  heartbeat: 'heartbeat' | 'keepalive',
  closed: () => void,
  produce: (writer: SseWriter) => Promise<void>,
): Response {
  const heartbeat_ms = Math.min(HEARTBEAT_MS, use(c).config.limits.sse_heartbeat_ms);
  return sse({ heartbeat, heartbeat_ms, closed, allowed: () => callerHolds(c) }, produce);
}

export function relayFrom(c: Ctx, who: Identity, position: Position = { turns: new Map() }): Relay {
  return new Relay(() => entranceOf(c, who), relayOf(c, who, DIALECT.name), position);
}

/** Behind a record: what it does not have, and nothing that it has. */
export function behind({ epoch, head, status, turn, text, reasoning }: TurnRecord): Position {
  const lengths = { text: text.length, reasoning: reasoning.length };
  return {
    cursor: { epoch, seq: head },
    turns: new Map(isTerminal(status) ? [] : [[turn, lengths]]),
  };
}

/** Writes events of a run; ends, which carry the session, get it as it stands. */
export async function write(
  c: Ctx,
  who: Identity,
  writer: SseWriter,
  { run, session }: Pick<RunState, 'run' | 'session'>,
  events: readonly RunEvent[],
): Promise<void> {
  for (const { event, seq, data, session: wanted } of events) {
    const full = wanted ? { ...data, session: await sessionWith(c, who, session) } : data;
    await writer.event({
      event,
      ...(seq === undefined ? {} : { id: `${run}:${seq}` }),
      data: JSON.stringify(full),
    });
  }
}

/** A stream that cannot go on: its client looks at the status and comes again. Nothing has ended. */
const INTERRUPTED = {
  label: 'Stream interrupted',
  type: 'interrupted',
  recovery_control: true,
  message: 'The stream was interrupted.',
  hint: 'The run goes on; connect again.',
};

/** `GET /api/chat/stream`: the run from where the client stands, to its end. */
export function runStream(c: Ctx, who: Identity, record: TurnRecord, from: Place): Response {
  const relay = relayFrom(c, who, behind(record));
  return eventStream(
    c,
    'heartbeat',
    () => relay.close(),
    async (writer) => {
      let [state, events] = replayFrom(record, from);
      await write(c, who, writer, state, events);
      if (state.ended) return;
      try {
        for await (const { frame } of relay.frames()) {
          // The journal is another one, or was cut: what is missing is in a new record.
          if (frame.type === 'reset') break;
          [state, events] = hermesDown(state, frame, Date.now() / 1000);
          await write(c, who, writer, state, events);
          if (state.ended) return;
        }
      } catch (error) {
        log('warn', 'stream interrupted', { run: state.run, error });
      }
      const { run: stream_id, session: session_id } = state;
      await writer.event({
        event: 'apperror',
        data: JSON.stringify({ ...INTERRUPTED, session_id, stream_id, journal_last_seq: state.last }),
      });
    },
  );
}

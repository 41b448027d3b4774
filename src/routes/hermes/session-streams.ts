import type { TurnRecord } from '../../channel/turn-record.ts';
import { readEventId } from '../../dialects/hermes/cursor.ts';
import { isAhead, placeOf } from '../../dialects/hermes/place.ts';
import { replay, replayFrom } from '../../dialects/hermes/replay.ts';
import { hermesDown, type RunState, runState } from '../../dialects/hermes/run.ts';
import type { Identity } from '../../protocol/identity.ts';
import { isTerminal, type ServerFrame } from '../../protocol/server-frames.ts';
import { Conversations } from '../../records/conversations.ts';
import { type Ctx, hubOf, queryNumber } from '../app.ts';
import { activeIn, callerOf, openOf, requireSession, sessionWith } from './answers.ts';
import { behind, eventStream, recordOf, relayFrom, write } from './runs.ts';

/** Streams that stay open over the runs of a session. */

/** `GET /api/session/stream`: that runs begin, and that there are new messages. */
export async function sessionStream(c: Ctx): Promise<Response> {
  const who = await callerOf(c);
  const session_id = await requireSession(c, who, c.req.query('session_id'));
  const known = queryNumber(c, 'known_count', 0, Number.MAX_SAFE_INTEGER);
  await hubOf(c, who).record();
  let count = (await new Conversations(c.env.DB).counts(who, [session_id])).get(session_id) ?? 0;
  const relay = relayFrom(c, who);
  return eventStream(
    c,
    'keepalive',
    () => relay.close(),
    async (writer) => {
      const tell = (event: string, data: object) => writer.event({ event, data: JSON.stringify(data) });
      const started = (run: string, at: number, recovered: boolean) =>
        tell('server_turn_started', {
          ...{ session_id, stream_id: run, pending_started_at: at, recovered },
          source: recovered ? 'subscribe_recovery' : 'live',
        });
      const updated = (source: string) =>
        tell('session-updated', { session_id, message_count: count, known_count: known ?? count, source });
      let ready = false;
      for await (const { frame } of relay.frames()) {
        if (frame.type === 'ready' && !ready) {
          ready = true;
          await tell('initial', { session_id });
          const active = activeIn(await openOf(c, who), session_id);
          if (active) await started(active.turn, active.started_at, true);
          if (known !== undefined && known !== count) await updated('subscribe');
        } else if (!ready) continue;
        else if (frame.type === 'turn' && frame.conversation === session_id && frame.status === 'queued')
          await started(frame.turn, Date.now() / 1000, false);
        else if ((frame.type === 'message' || frame.type === 'file') && frame.conversation === session_id) {
          count += 1;
          await updated('live');
        }
      }
    },
  );
}

/** `GET /api/sessions/events`: that the list of sessions is another. */
export async function listStream(c: Ctx): Promise<Response> {
  const who = await callerOf(c);
  const relay = relayFrom(c, who);
  return eventStream(
    c,
    'keepalive',
    () => relay.close(),
    async (writer) => {
      let ready = false;
      for await (const { frame } of relay.frames()) {
        if (frame.type === 'ready') ready = true;
        const changes = frame.type === 'conversation' || frame.type === 'message' || frame.type === 'turn';
        if (ready && changes)
          await writer.event({ event: 'sessions_changed', data: JSON.stringify({ reason: frame.type }) });
      }
    },
  );
}

/** The run after which a client goes on, where it is one of this session's and the client claims no more than there is. */
async function resumable(c: Ctx, who: Identity, session: string, id: string) {
  const read = readEventId(id);
  const record = read && (await recordOf(c, who, read.run));
  if (!record || record.conversation !== session) return undefined;
  const from = placeOf(read.seq);
  return isAhead(from, replay(record)[0].at) ? undefined : { record, from };
}

/** `GET /api/sessions/{id}/events`: the events of all runs of a session, from where the client stands. */
export async function runsStream(c: Ctx): Promise<Response> {
  const who = await callerOf(c);
  const session = await requireSession(c, who, c.req.param('id'));
  const id = c.req.header('last-event-id') || c.req.query('after_event_id') || '';
  const resumed = id === '' ? undefined : await resumable(c, who, session, id);
  const relay = relayFrom(c, who, resumed && after(resumed.record));
  return eventStream(
    c,
    'heartbeat',
    () => relay.close(),
    async (writer) => {
      const runs = new Map<string, RunState>();
      if (resumed) {
        const [state, events] = replayFrom(resumed.record, resumed.from);
        runs.set(state.run, state);
        await write(c, who, writer, state, events);
      } else if (id !== '')
        await writer.event({
          event: 'session_snapshot',
          data: JSON.stringify({ session: await sessionWith(c, who, session) }),
        });
      for await (const { frame } of relay.frames()) {
        if (frame.type === 'turn' && frame.conversation === session && !runs.has(frame.turn))
          await begin(frame.turn, frame);
        for (const [run, before] of runs) {
          const [state, events] = hermesDown(before, frame, Date.now() / 1000);
          runs.set(run, state);
          await write(c, who, writer, state, events);
          if (state.ended) runs.delete(run);
        }
      }

      /** A run that is met in its middle is told from its beginning. */
      async function begin(run: string, frame: Extract<ServerFrame, { type: 'turn' }>): Promise<void> {
        if (isTerminal(frame.status)) return;
        const record = frame.status === 'queued' && !frame.snapshot ? undefined : await recordOf(c, who, run);
        if (!record) {
          runs.set(run, runState(frame));
          return;
        }
        const [state, events] = replayFrom(record, { events: 0, text: 0, reasoning: 0 });
        await write(c, who, writer, state, events);
        if (!state.ended) runs.set(run, state);
      }
    },
  );
}

/** Where the journal goes on behind what is stored of a run: at its end, where it has one. */
function after(record: TurnRecord) {
  const last = record.frames.at(-1)?.frame;
  if (!isTerminal(record.status) || last === undefined) return behind(record);
  return { cursor: { epoch: record.epoch, seq: last.seq }, turns: new Map() };
}

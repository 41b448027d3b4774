import { Hono } from 'hono';
import { cursorOf } from '../../dialects/hermes/cursor.ts';
import { phaseOf } from '../../dialects/hermes/phase.ts';
import { summaryOf } from '../../dialects/hermes/replay.ts';
import { unwrap } from '../../objects/outcome.ts';
import { StarwireError } from '../../protocol/errors.ts';
import { isTerminal } from '../../protocol/server-frames.ts';
import { type AppEnv, hubOf } from '../app.ts';
import { activeIn, callerOf, fieldsOf, hasSession, openOf, required } from './answers.ts';
import { recordOf, runStream } from './runs.ts';
import { start } from './start.ts';

/** Runs of the Hermes web UI: `/api/chat`. */
export const chat = new Hono<AppEnv>();

chat.post('/start', start);

chat.get('/stream', async (c) => {
  const who = await callerOf(c);
  const { stream_id = '', after_event_id, after_seq, replay } = c.req.query();
  const record = await recordOf(c, who, stream_id);
  if (!record) throw new StarwireError('not_found', 'stream not found');
  const cursors = { after_event_id, after_seq, replay, last_event_id: c.req.header('last-event-id') };
  return runStream(c, who, record, cursorOf(cursors, stream_id));
});

chat.get('/stream/status', async (c) => {
  const who = await callerOf(c);
  const stream_id = c.req.query('stream_id') ?? '';
  const record = await recordOf(c, who, stream_id);
  if (!record) return c.json({ active: false, stream_id, replay_available: false });
  const active = !isTerminal(record.status);
  return c.json({ active, stream_id, replay_available: true, journal: summaryOf(record) });
});

/** Its clients ask by GET: a page of somebody else's could, too, where a cookie speaks for the user. */
chat.on(['GET', 'POST'], '/cancel', async (c) => {
  const who = await callerOf(c);
  const site = c.req.header('sec-fetch-site');
  if (c.req.header('authorization') === undefined && (site === 'cross-site' || site === 'same-site'))
    throw new StarwireError('forbidden', 'this page may not cancel runs');
  const stream_id = required(c.req.query('stream_id'), 'stream_id');
  const hub = hubOf(c, who);
  if (!(await recordOf(c, who, stream_id))) throw new StarwireError('not_found', 'stream not found');
  const result = await hub.cancel(stream_id);
  if ('error' in result && result.error.code !== 'turn_finished') unwrap(result);
  return c.json({ ok: true, cancelled: !('error' in result), stream_id });
});

/** Nothing upstream takes words into a run that is under way; the client keeps them for the next one. Never cancels. */
chat.post('/steer', async (c) => {
  const who = await callerOf(c);
  const { session_id, text } = await fieldsOf(c);
  const session = required(session_id, 'session_id');
  required(text, 'text');
  const declined = (fallback: string, stream_id: string | null) =>
    c.json({ accepted: false, fallback, stream_id });
  if (!(await hasSession(c, who, session))) return declined('session_not_found', null);
  const run = activeIn(await openOf(c, who), session);
  return run ? declined('gateway_steer_queued', run.turn) : declined('not_running', null);
});

/** The registry of active runs, each with its phase. */
chat.get('/runs', async (c) => {
  const { turns } = await openOf(c, await callerOf(c));
  return c.json({
    active_runs: turns.map(({ turn, conversation, started_at, ...run }) => ({
      ...{ stream_id: turn, session_id: conversation, started_at, phase: phaseOf(run) },
      ...{ workspace: '', model: null, provider: null, backend: 'gateway' },
      ...(run.latest_tool === undefined ? {} : { latest_tool: run.latest_tool }),
    })),
  });
});

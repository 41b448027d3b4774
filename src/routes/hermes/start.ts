import { unwrap } from '../../objects/outcome.ts';
import { MessageCommand, type SendResult } from '../../protocol/client-frames.ts';
import { topicOf } from '../../protocol/conversations.ts';
import { StarwireError } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import { parse } from '../../protocol/parse.ts';
import { Conversations } from '../../records/conversations.ts';
import { type Ctx, hubOf, use } from '../app.ts';
import { activeIn, callerOf, fieldsOf, loosely, openOf, requireSession, rowsOf } from './answers.ts';

/** What is sent to say nothing. */
const SILENT = '[SILENT]';
const ATTACHMENTS = 20;
const PROFILE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** What else a client says of a run, which its upstream gets as the delivery's `extra`. */
const EXTRAS = ['model', 'model_provider', 'workspace', 'profile', 'explicit_model_pick'] as const;

/** `POST /api/chat/start`: a message, and the run that answers it. */
export async function start(c: Ctx): Promise<Response> {
  const who = await callerOf(c);
  const body = await fieldsOf(c);
  const session = await requireSession(c, who, body.session_id);
  const message = typeof body.message === 'string' ? body.message : '';
  if (message.trim() === SILENT) return c.json({ status: 'suppressed', reason: 'silent_control_message' });
  requireProfile(body.profile);
  if (body.regenerate === true) return regenerate(c, who, session, body.regeneration_revision);
  const { known, names } = attachmentsOf(body.attachments);
  if (message.trim() === '' && known.length === 0)
    throw new StarwireError('bad_request', 'message is required', { field: 'message' });
  const command = parse(MessageCommand, {
    client_id: crypto.randomUUID(),
    text: message,
    conversation: session,
    attachments: known,
    extra: {
      ...Object.fromEntries(EXTRAS.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]]))),
      ...(names.length > 0 ? { attachments: names } : {}),
    },
  });
  const files = await use(c).files.claim(who, session, command.attachments);
  const sent: SendResult | { busy: string } = unwrap(
    await hubOf(c, who).sendAlone(command, who, files, new URL(c.req.url).origin),
  );
  if ('busy' in sent) return busy(c, sent.busy);
  return begun(c, who, session, sent.turn ?? '', message);
}

function busy(c: Ctx, active_stream_id: string): Response {
  const error = 'session already has an active stream';
  return c.json({ error, code: 'conflict', active_stream_id }, 409);
}

async function begun(c: Ctx, who: Identity, session_id: string, run: string, message: string) {
  const known = (await openOf(c, who)).turns.find(({ turn }) => turn === run);
  const title = (await new Conversations(c.env.DB).get(who, session_id))?.title;
  return c.json({
    ...{ stream_id: run, session_id, turn_id: run },
    pending_started_at: known?.started_at ?? Date.now() / 1000,
    title: title || topicOf(message),
  });
}

/** The last reply of a session again. `revision` is that of the session that the client shows. */
async function regenerate(c: Ctx, who: Identity, session: string, revision: unknown): Promise<Response> {
  const active = activeIn(await openOf(c, who), session);
  if (active) return busy(c, active.turn);
  const { rows } = await rowsOf(c, who, session, 50);
  const newest = rows.at(-1)?.seq ?? 0;
  if (revision !== undefined && revision !== null && loosely(revision) !== String(newest))
    return c.json({ error: 'The session has changed.', code: 'stale_regeneration_revision' }, 409);
  const reply = rows.findLast((row) => row.type === 'message' && row.role === 'assistant');
  if (reply?.turn === undefined) throw new StarwireError('bad_request', 'there is no reply to regenerate');
  const asked = rows.findLast((row) => row.type === 'message' && row.role === 'user');
  const run = unwrap(await hubOf(c, who).regenerate(reply.turn, who));
  return begun(c, who, session, run, asked?.type === 'message' ? asked.text : '');
}

function requireProfile(profile: unknown): void {
  if (profile === undefined || profile === null || profile === '') return;
  if (typeof profile !== 'string' || !PROFILE.test(profile))
    throw new StarwireError('bad_request', 'invalid profile', { field: 'profile' });
}

/** A file of ours, by its address or its `webchat:` url. */
const OURS = /(?:^|\/)files?\/([A-Za-z0-9_.-]{1,128})\//;

/** Attachments that are files of ours, and the names of the others. */
function attachmentsOf(value: unknown): { known: { id: string }[]; names: string[] } {
  if (value === undefined || value === null) return { known: [], names: [] };
  if (!Array.isArray(value))
    throw new StarwireError('bad_request', 'attachments must be a list', { field: 'attachments' });
  if (value.length > ATTACHMENTS)
    throw new StarwireError('bad_request', `attachments has more than ${ATTACHMENTS} entries`, {
      field: 'attachments',
    });
  const known: { id: string }[] = [];
  const names: string[] = [];
  for (const one of value) {
    const { id, path, name, filename }: Record<string, unknown> =
      typeof one === 'object' && one !== null ? { ...one } : { path: one };
    const found = typeof id === 'string' ? id : typeof path === 'string' ? OURS.exec(path)?.[1] : undefined;
    if (found !== undefined) known.push({ id: found });
    else names.push(loosely(name ?? filename ?? path).slice(0, 255));
  }
  return { known, names };
}

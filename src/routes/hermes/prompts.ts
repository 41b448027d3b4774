import { Hono } from 'hono';
import {
  approval,
  approvalValue,
  clarify,
  clarifyValue,
  isApproval,
  isApprovalChoice,
} from '../../dialects/hermes/prompts.ts';
import { unwrap } from '../../objects/outcome.ts';
import { StarwireError } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import type { PromptFrame } from '../../protocol/server-frames.ts';
import { type AppEnv, type Ctx, hubOf } from '../app.ts';
import { callerOf, fieldsOf, loosely, openOf, requireSession } from './answers.ts';
import { eventStream, relayFrom } from './runs.ts';

/** Questions of runs: approvals, `/api/approval`, and everything else that is asked, `/api/clarify`. */

type Kind = 'approval' | 'clarify';

interface Asked {
  frame: PromptFrame;
  at: number;
}

/** The first of the open questions as its clients see it, and how many there are. */
function pendingOf(kind: Kind, asked: readonly Asked[]) {
  const [first] = asked;
  const shown =
    first && (kind === 'approval' ? approval(first.frame, asked.length) : clarify(first.frame, first.at));
  return { pending: shown ?? null, pending_count: asked.length };
}

function isOf(kind: Kind, session: string, frame: PromptFrame): boolean {
  return frame.conversation === session && isApproval(frame) === (kind === 'approval');
}

async function askedIn(c: Ctx, who: Identity, kind: Kind, session: string): Promise<Asked[]> {
  return (await openOf(c, who)).prompts.filter(({ frame }) => isOf(kind, session, frame));
}

/** `pending`, and `stream`: the same whenever it changes. */
function questions(kind: Kind): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/pending', async (c) => {
    const who = await callerOf(c);
    const session = await requireSession(c, who, c.req.query('session_id'));
    return c.json(pendingOf(kind, await askedIn(c, who, kind, session)));
  });

  app.get('/stream', async (c) => {
    const who = await callerOf(c);
    const session = await requireSession(c, who, c.req.query('session_id'));
    const relay = relayFrom(c, who);
    return eventStream(
      c,
      'keepalive',
      () => relay.close(),
      async (writer) => {
        let asked: Asked[] = [];
        let ready = false;
        const tell = (event: string) => writer.event({ event, data: JSON.stringify(pendingOf(kind, asked)) });
        for await (const { frame } of relay.frames()) {
          const before = asked;
          if (frame.type === 'prompt' && isOf(kind, session, frame)) {
            const others = asked.filter((one) => one.frame.prompt !== frame.prompt);
            asked = [...others, { frame, at: Date.now() / 1000 }];
          } else if (frame.type === 'prompt_closed')
            asked = asked.filter((one) => one.frame.prompt !== frame.prompt);
          else if (frame.type === 'ready' && !ready) {
            ready = true;
            // With the time at which they were asked.
            asked = await askedIn(c, who, kind, session);
            await tell('initial');
            continue;
          }
          if (ready && asked.length !== before.length) await tell(kind);
        }
      },
    );
  });
  return app;
}

/** The open question that an answer is for: the one it names, or the first. */
async function wanted(c: Ctx, who: Identity, kind: Kind, session: string, id: unknown) {
  const asked = await askedIn(c, who, kind, session);
  const named = typeof id === 'string' && id !== '';
  return (named ? asked.find(({ frame }) => frame.prompt === id) : asked[0])?.frame;
}

/** Answers a question; false where it was answered meanwhile. */
async function answer(c: Ctx, who: Identity, { prompt }: PromptFrame, value: unknown): Promise<boolean> {
  const command = { type: 'answer' as const, client_id: crypto.randomUUID(), prompt, value };
  const result = await hubOf(c, who).send(command, who, new Map());
  if ('error' in result && ['already_answered', 'not_found'].includes(result.error.code)) return false;
  unwrap(result);
  return true;
}

export const approvals = questions('approval');

approvals.post('/respond', async (c) => {
  const who = await callerOf(c);
  const { session_id, choice = 'deny', approval_id, run_id } = await fieldsOf(c);
  const session = await requireSession(c, who, session_id);
  if (!isApprovalChoice(choice))
    throw new StarwireError('bad_request', `Invalid choice: ${loosely(choice)}`, { field: 'choice' });
  const frame = await wanted(c, who, 'approval', session, approval_id);
  const isStale = typeof run_id === 'string' && run_id !== '' && frame?.turn !== run_id;
  if (frame && !isStale && (await answer(c, who, frame, approvalValue(frame, choice))))
    return c.json({ ok: true, choice });
  const error =
    'Gateway approval could not be relayed because the active run is unavailable. ' +
    'Reopen the session or retry after it reconnects.';
  return c.json({ ok: false, choice, relayed: false, code: 'gateway_run_unavailable', error }, 409);
});

export const clarifications = questions('clarify');

clarifications.post('/respond', async (c) => {
  const who = await callerOf(c);
  const { session_id, response, answer: said, choice, clarify_id } = await fieldsOf(c);
  const session = await requireSession(c, who, session_id);
  const text = loosely(response ?? said ?? choice).trim();
  if (text === '') throw new StarwireError('bad_request', 'response is required', { field: 'response' });
  const frame = await wanted(c, who, 'clarify', session, clarify_id);
  if (frame && (await answer(c, who, frame, clarifyValue(frame, text))))
    return c.json({ ok: true, response: text });
  const error = 'Clarification prompt expired or not found. The agent may have already proceeded.';
  return c.json({ ok: false, error, code: 'already_answered', stale: true }, 409);
});

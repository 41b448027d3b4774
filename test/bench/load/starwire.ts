import { createHmac } from 'node:crypto';
import { LinesReply } from './reply.ts';
import type { Door, Message } from './websocket.ts';
import type { Place, Wire } from './wire.ts';

/** Starwire as a client and a service of it see it: one NDJSON request for a reply, `batch` frames, `seen` every 64. */
export function starwire({ port, auth_secret = '', internal_token = '' }: Place): Wire {
  const authorization = `Bearer ${internal_token}`;
  const signedIn = (user: string) => ({ authorization: `Bearer ${tokenOf(user, auth_secret)}` });
  const door = (user: string, position = ''): Door => ({
    port,
    path: `/ws?batch=1${position}`,
    headers: signedIn(user),
    receipt: '{"type":"seen","seq":0}',
  });
  return {
    door: (user) => door(user),
    ready: '"type":"ready"',
    async reply(user) {
      const channel = `webchat:${user}`;
      const turn = await openTurn(`http://127.0.0.1:${port}`, authorization, channel);
      const event = (rest: string): string => `{"channel":"${channel}","turn":"${turn}",${rest}}`;
      return new LinesReply(
        { port, path: '/internal/outbound', headers: { authorization } },
        { chunk: (token) => event(`"kind":"chunk","text":"${token}"`), end: event('"kind":"done"') },
      );
    },
    ended: '"status":"completed"',
    textOf: textOfFrames,
    resume: {
      async messages(user) {
        const event = (rest: string): string => `{"channel":"webchat:${user}",${rest}}`;
        return new LinesReply(
          { port, path: '/internal/outbound', headers: { authorization } },
          {
            chunk: (token) => event(`"kind":"message","text":"${token}"`),
            end: event('"kind":"typing","active":false'),
          },
        );
      },
      textOfMessage: (message) =>
        framesOf(message)
          .map(({ type, text = '' }) => (type === 'message' ? text : ''))
          .join(''),
      door: (user, came, shown) => door(user, positionOf(came, shown)),
      replayed: () => '"type":"ready"',
    },
    completion: (user) => ({ port, path: '/v1/chat/completions', headers: signedIn(user) }),
    close: () => undefined,
  };
}

interface Frame {
  type: string;
  seq?: number;
  epoch?: string;
  turn?: string;
  text?: string;
  offset?: number;
  frames?: Frame[];
}

function framesOf(message: string): Frame[] {
  const frame: Frame = JSON.parse(message);
  return frame.frames ?? [frame];
}

/** The query with which a connection goes on behind what has come (P-WS-8). */
function positionOf(came: readonly Message[], shown: number): string {
  const frames = came.flatMap(({ payload }) => framesOf(payload.toString()));
  const epoch = frames.find(({ type }) => type === 'welcome')?.epoch;
  const seq = frames.findLast((frame) => frame.seq !== undefined)?.seq;
  const turn = frames.find(({ type }) => type === 'chunk')?.turn;
  return `&cursor=${epoch}.${seq}${turn === undefined ? '' : `&turns=${turn}:${shown}:0`}`;
}

/** Chunks say where they begin; only what is new counts, and a hole is an error. */
export function textOfFrames(message: string, before: number): string {
  let added = '';
  for (const { type, text = '', offset = 0 } of framesOf(message)) {
    if (type !== 'chunk') continue;
    const known = before + added.length - offset;
    if (known < 0) throw new Error(`a hole before ${offset}: only ${before + added.length} characters came`);
    if (known > 0) throw new Error(`${known} characters came twice`);
    added += text;
  }
  return added;
}

async function openTurn(origin: string, authorization: string, channel: string): Promise<string> {
  const response = await fetch(`${origin}/internal/outbound`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ channel, kind: 'turn' }),
  });
  const said: { results?: { id?: string }[] } = JSON.parse(await response.text());
  const turn = said.results?.[0]?.id;
  if (turn === undefined) throw new Error(`no turn was opened: ${response.status} ${JSON.stringify(said)}`);
  return turn;
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** A user token (P-ID-1). */
export function tokenOf(sub: string, secret: string): string {
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  const signed = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify({ sub, exp }))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

import { createHmac } from 'node:crypto';
import { LinesReply } from './reply.ts';
import type { Place, Wire } from './wire.ts';

/** Starwire as a client and a service of it see it: one NDJSON request for a reply, `batch` frames, `seen` every 64. */
export function starwire({ port, auth_secret = '', internal_token = '' }: Place): Wire {
  const authorization = `Bearer ${internal_token}`;
  return {
    door: (user) => ({
      port,
      path: '/ws?batch=1',
      headers: { authorization: `Bearer ${tokenOf(user, auth_secret)}` },
      receipt: '{"type":"seen","seq":0}',
    }),
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
    close: () => undefined,
  };
}

interface Frame {
  type: string;
  text?: string;
  offset?: number;
  frames?: Frame[];
}

/** Chunks say where they begin; only what is new counts, and a hole is an error. */
export function textOfFrames(message: string, before: number): string {
  const frame: Frame = JSON.parse(message);
  let added = '';
  for (const { type, text = '', offset = 0 } of frame.frames ?? [frame]) {
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

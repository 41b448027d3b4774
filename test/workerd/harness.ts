import { env, exports } from 'cloudflare:workers';
import { contextOf } from '../../src/env.ts';
import type { Position } from '../../src/protocol/cursor.ts';
import { formatCursor, formatLengths } from '../../src/protocol/cursor.ts';
import { hubName } from '../../src/protocol/identity.ts';
import type { OutboundResult } from '../../src/protocol/outbound.ts';
import type { DurableFrame, ServerFrame } from '../../src/protocol/server-frames.ts';

const ORIGIN = 'http://127.0.0.1:8787';
const INTERNAL = { authorization: 'Bearer test-internal-token-0001' };
/** How long anything may take before a test gives it up. */
const PATIENCE_MS = 10_000;

export const request = (path: string, init?: RequestInit): Promise<Response> =>
  exports.default.fetch(new Request(`${ORIGIN}${path}`, init));

let users = 0;

/** A user that no other test has. */
export const someone = (name = 'user'): string => `${name}-${++users}-${crypto.randomUUID().slice(0, 8)}`;

export const tokenOf = (user: string, ttl_s = 3_600): Promise<string> =>
  contextOf(env).tokens.issue({ tenant: 'default', user, name: user, roles: [] }, ttl_s);

export const hubOf = (user: string) => env.USER_HUB.getByName(hubName('default', user));

/** Resolves when `condition` holds; it is looked at whenever something may have changed. */
export class Changes {
  #wake = Promise.withResolvers<void>();

  changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  async until<T>(condition: () => T | undefined | false, what: () => string): Promise<T> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), PATIENCE_MS);
    try {
      for (;;) {
        const value = condition();
        if (value) return value;
        if ((await Promise.race([this.#wake.promise, late.promise])) === 'late')
          throw new Error(`in vain for ${what()}`);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A client's end of a native socket. */
export class Client {
  readonly frames: ServerFrame[] = [];
  readonly pongs: string[] = [];
  closed: number | undefined;
  #ended: number | undefined;
  readonly #socket: WebSocket;
  readonly #changes: Changes;

  constructor(socket: WebSocket, changes = new Changes()) {
    this.#socket = socket;
    this.#changes = changes;
    socket.addEventListener('message', ({ data }) => {
      if (data === 'pong') this.pongs.push(data);
      else if (typeof data === 'string') this.#take(JSON.parse(data));
      changes.changed();
    });
    const end = (code: number): void => {
      this.closed ??= code;
      this.#ended ??= code;
      changes.changed();
    };
    socket.addEventListener('close', ({ code }) => end(code));
    socket.addEventListener('error', () => end(1006));
    socket.accept();
  }

  #take(frame: ServerFrame): void {
    if (frame.type === 'batch') this.frames.push(...frame.frames);
    else this.frames.push(frame);
  }

  of<T extends ServerFrame['type']>(type: T): Extract<ServerFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { type: T }> => frame.type === type);
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  close(): void {
    if (this.closed === undefined) this.#socket.close(1000, 'bye');
    this.closed ??= 1000;
  }

  /** The first frame that fits, as soon as it has come. */
  until<F extends ServerFrame>(fits: (frame: ServerFrame) => frame is F): Promise<F>;
  until(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame>;
  until(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return this.#changes.until(
      () => this.frames.find(fits),
      () => `${fits} among ${JSON.stringify(this.frames).slice(0, 2_000)}`,
    );
  }

  untilClosed(): Promise<number> {
    return this.#changes.until(
      () => this.closed,
      () => 'a close',
    );
  }

  untilPong(count: number): Promise<boolean> {
    return this.#changes.until(
      () => this.pongs.length >= count,
      () => `${count} pongs`,
    );
  }

  /** The text of a turn as chunks gave it; throws where they do not fit. */
  textOf(turn: string): string {
    let shown = '';
    for (const frame of this.of('chunk')) {
      if (frame.turn !== turn || frame.kind !== 'text') continue;
      if (frame.offset !== shown.length && frame.offset !== 0)
        throw new Error(`a chunk at ${frame.offset} after ${shown.length}`);
      shown = shown.slice(0, frame.offset) + frame.text;
    }
    return shown;
  }

  /** Entries of the journal as they came. */
  get seqs(): number[] {
    return this.frames.flatMap((frame) =>
      'seq' in frame && !['welcome', 'ready', 'reset', 'ack'].includes(frame.type) && !('snapshot' in frame)
        ? [frame.seq]
        : [],
    );
  }
}

export async function connect(
  user: string,
  {
    cursor,
    turns = new Map(),
    batch = false,
    changes,
  }: Partial<Position> & { batch?: boolean; changes?: Changes } = {},
): Promise<Client> {
  const query = new URLSearchParams();
  if (cursor) query.set('cursor', formatCursor(cursor));
  if (turns.size > 0) query.set('turns', formatLengths(turns));
  if (batch) query.set('batch', '1');
  const { webSocket } = await request(`/ws?${query}`, {
    headers: { upgrade: 'websocket', authorization: `Bearer ${await tokenOf(user)}` },
  });
  if (!webSocket) throw new Error('no socket');
  const client = new Client(webSocket, changes);
  await client.until(({ type }) => type === 'ready' || type === 'error');
  return client;
}

export type Written = { kind: string } & Record<string, unknown>;

/** Posts events for a user in one request. */
export async function post(
  user: string,
  events: Written[],
  headers: Record<string, string> = {},
): Promise<OutboundResult[]> {
  const response = await request('/internal/outbound', {
    method: 'POST',
    headers: { ...INTERNAL, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(events.map((event) => ({ channel: `webchat:${user}`, ...event }))),
  });
  const { results }: { results: OutboundResult[] } = await response.json();
  return results;
}

/** An NDJSON request that is being written. */
export function openLines(user: string) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const response = request('/internal/outbound', {
    method: 'POST',
    headers: { ...INTERNAL, 'content-type': 'application/x-ndjson' },
    body: readable,
  });
  return {
    write: (...events: Written[]): Promise<void> =>
      writer.write(
        encoder.encode(
          events.map((event) => `${JSON.stringify({ channel: `webchat:${user}`, ...event })}\n`).join(''),
        ),
      ),
    async end(): Promise<OutboundResult[]> {
      await writer.close();
      const { results }: { results: OutboundResult[] } = await (await response).json();
      return results;
    },
  };
}

export async function internal<T>(path: string): Promise<T> {
  return (await request(`/internal${path}`, { headers: INTERNAL })).json<T>();
}

/** Opens a turn as an upstream does. */
export async function openTurn(user: string): Promise<string> {
  const [result] = await post(user, [{ kind: 'turn' }]);
  if (!result?.id) throw new Error(`no turn: ${JSON.stringify(result)}`);
  return result.id;
}

export const chunk = (turn: string, text: string, offset?: number): Written => ({
  kind: 'chunk',
  turn,
  text,
  offset,
});

/** The journal as it is stored. */
export function journalOf(state: DurableObjectState): DurableFrame[] {
  return state.storage.sql
    .exec<{ frame: string }>('SELECT frame FROM events ORDER BY seq')
    .toArray()
    .map(({ frame }) => JSON.parse(frame));
}

/** A socket's place, to resume from. */
export function placeOf(client: Client): Position {
  const epoch = client.of('welcome')[0]?.epoch ?? '';
  const turns = new Map(
    [...new Set(client.of('chunk').map(({ turn }) => turn))].map((turn) => [
      turn,
      { text: client.textOf(turn).length, reasoning: 0 },
    ]),
  );
  return { cursor: { epoch, seq: client.seqs.at(-1) ?? client.of('ready')[0]?.seq ?? 0 }, turns };
}

import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ErrorBody } from '../../src/protocol/errors.ts';
import type { OutboundResult } from '../../src/protocol/outbound.ts';
import { Client, type OpenOptions } from './client.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';

/** A user of one test, so that tests run in any order. */
export interface Person {
  id: string;
  tenant: string;
  /** `webchat:{id}`. */
  channel: string;
  token: string;
}

export interface Reply<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

export interface Outbound {
  results: OutboundResult[];
  error?: ErrorBody;
}

export interface Fields {
  method?: string;
  /** Sent as JSON, but for texts and bytes. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** A running server, seen by its users and by its upstream. */
export class World {
  readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  get origin(): string {
    return this.server.origin;
  }

  /** A token as an identity provider of the deployment makes it; `claims` replace the usual ones. */
  token(claims: JWTPayload, secret = this.server.secrets.AUTH_SECRET): Promise<string> {
    return new SignJWT({ exp: Math.floor(Date.now() / 1000) + 600, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
  }

  async person(claims: JWTPayload & { tenant?: string } = {}): Promise<Person> {
    const { sub: id = `user-${randomUUID()}`, tenant = 'default' } = claims;
    return { id, tenant, channel: `webchat:${id}`, token: await this.token({ ...claims, sub: id, tenant }) };
  }

  open(options: OpenOptions = {}): Promise<Client> {
    return Client.open(this.origin, options);
  }

  /** A connection that has been served up to `ready`. */
  async connect({ token }: Pick<Person, 'token'>, options: OpenOptions = {}): Promise<Client> {
    const client = await this.open({ token, ...options });
    await client.frame('ready');
    return client;
  }

  /** The next connection of a client whose earlier one is gone. */
  async reconnect(person: Person, earlier: Client, query: Record<string, string> = {}): Promise<Client> {
    const client = (
      await this.open({ token: person.token, query: { ...earlier.position(), ...query } })
    ).continue(earlier);
    await client.frame('ready');
    return client;
  }

  /** A request; the body as JSON where it is JSON, else as text. */
  async http<T = unknown>(
    path: string,
    { body, headers = {}, method = body === undefined ? 'GET' : 'POST' }: Fields = {},
  ): Promise<Reply<T>> {
    const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: { ...(plain ? {} : { 'content-type': 'application/json' }), ...headers },
      body: plain ? (body as BodyInit | undefined) : JSON.stringify(body),
      redirect: 'manual',
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** A request of a user. */
  as<T = unknown>({ token }: Pick<Person, 'token'>, path: string, fields: Fields = {}): Promise<Reply<T>> {
    return this.http<T>(path, {
      ...fields,
      headers: { authorization: `Bearer ${token}`, ...fields.headers },
    });
  }

  /** A request of the upstream. */
  internal<T = unknown>(path: string, fields: Fields = {}): Promise<Reply<T>> {
    const [token = ''] = this.server.secrets.INTERNAL_TOKEN.split(',');
    return this.as<T>({ token }, `/internal${path}`, fields);
  }

  /** One event or several, as JSON. */
  outbound(body: unknown, headers: Record<string, string> = {}): Promise<Reply<Outbound>> {
    return this.internal<Outbound>('/outbound', { body, headers });
  }

  /** Lines of NDJSON; texts go as they are. */
  ndjson(lines: unknown[], headers: Record<string, string> = {}): Promise<Reply<Outbound>> {
    const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    return this.internal<Outbound>('/outbound', {
      body,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
  }

  /** A message of the user whose reply the test gives: the demo takes it and says nothing. */
  async turn(client: Client, fields: object = {}): Promise<string> {
    const client_id = randomUUID();
    client.send({ type: 'message', client_id, text: 'silent', ...fields });
    const { turn } = await client.frame('ack', (ack) => ack.client_id === client_id);
    return turn ?? expect.fail('the ack names no turn');
  }

  /** The same over HTTP, for users who are not connected. */
  async turnByHttp(person: Person, fields: object = {}): Promise<string> {
    const body = { client_id: randomUUID(), text: 'silent', ...fields };
    const reply = await this.as<{ turn: string }>(person, '/api/messages', { body });
    expect(reply.status).toBe(202);
    return reply.body.turn;
  }
}

/** One server for all tests of a file; `options` are asked for as it starts. */
export function useWorld(options: ServerOptions | (() => ServerOptions) = {}): () => World {
  let world: World | undefined;
  beforeAll(async () => {
    world = new World(await startServer(typeof options === 'function' ? options() : options));
  });
  afterAll(() => world?.server.stop());
  return () => world ?? expect.fail('the server has not started');
}

/** What a refusal says over HTTP. */
export const refused = (status: number, code: string, field?: string) => ({
  status,
  body: { error: { code, message: expect.any(String), ...(field === undefined ? {} : { field }) } },
});

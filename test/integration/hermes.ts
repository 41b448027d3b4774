import type { EventSourceMessage } from 'eventsource-parser';
import { expect } from 'vitest';
import { begin, Sse } from './sse.ts';
import type { Person, World } from './world.ts';

export interface RunEvent {
  event: string;
  id: string | undefined;
  data: Record<string, unknown>;
}

/** After these the original's server closes the stream, and its client the `EventSource`. */
export const CLOSING = new Set(['stream_end', 'cancel', 'apperror', 'error']);

export interface Cursor {
  /** As the query has it: `after_seq`, `after_event_id`, `replay`. */
  query?: Record<string, string>;
  /** As an `EventSource` sends it when it connects again. */
  last?: string | undefined;
}

/** One connection of the Hermes web UI to a stream, written from what is known of it: events by name, ids `run:seq`. */
export class Stream extends Sse<RunEvent> {
  static async open(
    { origin }: World,
    { token }: Pick<Person, 'token'>,
    path: string,
    { query = {}, last }: Cursor = {},
  ): Promise<Stream> {
    const url = new URL(path, origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    // An EventSource can set no header: its token is in a cookie.
    const headers = { cookie: `hermes_session=${token}`, accept: 'text/event-stream' };
    const begun = await begin(url, headers, last);
    expect(begun.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(begun.response.headers.get('x-accel-buffering')).toBe('no');
    return new Stream(begun);
  }

  protected read({ event = 'message', id, data }: EventSourceMessage): RunEvent {
    return { event, id, data: JSON.parse(data) };
  }

  /** The first event of a name, come or to come. */
  async event(
    name: string,
    where: (data: Record<string, unknown>) => boolean = () => true,
    within_ms?: number,
  ): Promise<RunEvent> {
    const found = () => this.events.find(({ event, data }) => event === name && where(data));
    return this.until(found, `${name} ${where}`, within_ms);
  }

  get names(): string[] {
    return this.events.map(({ event }) => event);
  }

  /** All tokens, one after the other. */
  get text(): string {
    return textOf(this.events);
  }

  /** Resolves when all tokens together are `text`. */
  async said(text: string): Promise<void> {
    await this.until(() => (this.text === text ? true : undefined), `the text ${text}`);
  }
}

export const textOf = (events: readonly RunEvent[]): string =>
  events.flatMap(({ event, data }) => (event === 'token' ? [String(data.text)] : [])).join('');

/** The number behind the run in an event id. */
export function seqOf({ id }: Pick<RunEvent, 'id'>): number {
  return Number((id ?? expect.fail('the event has no id')).split(':').at(-1));
}

/** What every client may count on: ids of the run that only grow, and nothing behind a closing event. */
export function expectWellFormed(run: string, events: readonly RunEvent[]): void {
  let before = 0;
  for (const one of events.filter(({ id }) => id !== undefined)) {
    expect(one.id).toMatch(new RegExp(`^${run}:\\d+$`));
    expect(seqOf(one)).toBeGreaterThan(before);
    before = seqOf(one);
  }
  const closing = events.findIndex(({ event }) => CLOSING.has(event));
  if (closing >= 0) expect(closing).toBe(events.length - 1);
}

/** A person at the web UI. */
export class WebUi {
  readonly world: World;
  readonly person: Person;

  constructor(world: World, person: Person) {
    this.world = world;
    this.person = person;
  }

  static async of(world: World): Promise<WebUi> {
    return new WebUi(world, await world.person());
  }

  /** A request as its pages make it: the token in a cookie, from their own origin. */
  ask<T = Record<string, unknown>>(path: string, body?: object) {
    return this.world.http<T>(path, {
      ...(body ? { body } : {}),
      headers: { cookie: `hermes_session=${this.person.token}`, origin: this.world.origin },
    });
  }

  async newSession(): Promise<string> {
    const { status, body } = await this.ask<{ session: { session_id: string } }>('/api/session/new', {});
    expect(status).toBe(200);
    return body.session.session_id;
  }

  /** Starts a run; the demo takes `silent` and says nothing, so that the test gives the reply. */
  async start(session_id: string, message = 'silent', more: object = {}): Promise<string> {
    const { status, body } = await this.ask<{ stream_id: string }>('/api/chat/start', {
      ...{ session_id, message },
      ...more,
    });
    expect({ status, body }).toMatchObject({ status: 200, body: { session_id } });
    return body.stream_id;
  }

  stream(run: string, cursor: Cursor = {}): Promise<Stream> {
    return Stream.open(this.world, this.person, `/api/chat/stream?stream_id=${run}`, cursor);
  }

  /** Events of the inference service for a run. */
  async reply(run: string, ...events: object[]): Promise<void> {
    for (const event of events) {
      const { channel, tenant } = this.person;
      const { body } = await this.world.outbound({ channel, tenant, turn: run, ...event });
      expect(body.results).toEqual([expect.not.objectContaining({ error: expect.anything() })]);
    }
  }
}

import { expect } from 'vitest';
import {
  complete,
  type DataEvent,
  events,
  requestIdOf,
  resume,
  told,
  turnFacts,
} from '../../integration/v1.ts';
import type { World } from '../../integration/world.ts';
import { insist } from '../post.ts';
import type { Random } from '../random.ts';
import { Asker, longLived, unlessLost } from './asker.ts';

/** A program on `/v1`: it streams, sends a request again under its key, and resumes a stream after the last event it had. */
export class OpenAiAsker extends Asker {
  /** The events of each request, over all its connections. */
  readonly #streams = new Map<string, DataEvent[]>();

  static async of(world: World, random: Random): Promise<OpenAiAsker> {
    return new OpenAiAsker(world, await longLived(world), random);
  }

  protected async ask(text: string): Promise<string> {
    const had: DataEvent[] = [];
    let request = '';
    await insist(() =>
      unlessLost(async () => {
        const response = await this.#connect(text, request, had.at(-1)?.id);
        request = requestIdOf(response);
        this.count('connections');
        let left = this.cutAfter();
        for await (const event of events(response)) {
          had.push(event);
          if (event.data === undefined) return true;
          left -= 1;
          if (left > 0) continue;
          // Who stops reading breaks the connection.
          this.count('cuts');
          return undefined;
        }
        return undefined;
      }),
    );
    this.#streams.set(request, had);
    return told(had).content;
  }

  async #connect(content: string, request: string, last: string | undefined) {
    const { world, person } = this;
    const body = { stream: true, messages: [{ role: 'user', content }] };
    const response = await (request === ''
      ? complete(world, person.token, body, { headers: { 'idempotency-key': content } })
      : resume(world, person.token, request, last));
    expect(response.status).toBe(200);
    return response;
  }

  expectExact(): void {
    for (const stream of this.#streams.values()) {
      expect(told(stream)).toMatchObject({ finishes: ['stop'], errors: [], ends: 1 });
      const roles = stream.flatMap(
        ({ data }) => data?.choices?.flatMap(({ delta }) => delta.role ?? []) ?? [],
      );
      expect(roles).toEqual(['assistant']);
      const ids = stream.flatMap(({ id, data }) => (data ? [id] : []));
      expect(new Set(ids).size).toBe(ids.length);
    }
  }

  async expectKept(): Promise<void> {
    const requests = [...this.#streams.keys()];
    for (const [n, request] of requests.entries())
      expect(await turnFacts(this.world, request)).toMatchObject({
        ...{ status: 'completed', text_length: this.asked[n]?.reply.length },
      });
    expect(requests).toHaveLength(this.asked.length);
  }
}

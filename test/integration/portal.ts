import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type FakeUpstream, useUpstream } from './fake-upstream.ts';
import { JsonSocket } from './json-socket.ts';
import type { Person, World } from './world.ts';

/** A Konstruct portal: its clients, and its agent behind a webhook that gets what Konstruct's workers got. */

/** The normalised message, as far as the agent needs it to answer. */
export interface Normalised {
  content: { text: string };
  context: { type: string; turn: string; channel_id: string; value?: unknown };
}

export class Portal {
  readonly world: World;
  readonly agent: FakeUpstream;

  constructor(world: World, agent: FakeUpstream) {
    this.world = world;
    this.agent = agent;
  }

  /** A user as the portal knows them: everything is a UUID. */
  user(claims: Parameters<World['person']>[0] = {}): Promise<Person> {
    return this.world.person({
      sub: randomUUID(),
      tenant: randomUUID(),
      roles: ['customer_operator'],
      ...claims,
    });
  }

  open(conversation: string, headers?: Record<string, string>): Promise<JsonSocket> {
    return JsonSocket.open(this.world.origin, `/chat/ws/${conversation}`, headers);
  }

  /** A socket that has said who it is. */
  async enter(person: Person, conversation: string): Promise<JsonSocket> {
    const socket = await this.open(conversation);
    socket.send(auth(person));
    return socket;
  }

  /** What the agent is given, once something fits. */
  given(fits: (message: Normalised) => boolean, what: string): Promise<Normalised> {
    const found = () => this.agent.deliveries.map(({ raw }): Normalised => JSON.parse(raw)).find(fits);
    return this.agent.until(found, what);
  }

  /** What the agent is given once the user has said `text`. */
  asked(text: string): Promise<Normalised> {
    return this.given(({ content }) => content.text === text, text);
  }

  /** The agent says something of a turn. */
  async says({ tenant }: Person, { context }: Normalised, ...events: object[]): Promise<void> {
    for (const event of events) {
      const { turn, channel_id: channel } = context;
      const { body } = await this.world.outbound({ tenant, channel, turn, ...event });
      expect(body.results[0]?.error).toBeUndefined();
    }
  }

  /** Role and text of what was said, oldest first, as the native API has it. */
  async history(person: Person, conversation: string): Promise<[string, string][]> {
    const { body } = await this.world.as<{ messages: { role: string; text: string }[] }>(
      person,
      `/api/conversations/${conversation}/messages`,
    );
    return body.messages.map(({ role, text }): [string, string] => [role, text]).reverse();
  }

  /** Resolves when the user's last session is gone. */
  async gone({ id, tenant }: Person): Promise<void> {
    for (;;) {
      const { body } = await this.world.internal<{ online: boolean }>(`/users/${id}?tenant=${tenant}`);
      if (!body.online) return;
    }
  }
}

/** The first frame of the original's client, and a token. */
export const auth = ({ id, tenant, token }: Person) => ({
  ...{ type: 'auth', userId: id, role: 'customer_operator', tenantId: tenant, token },
});

/** A text that no other test says. */
export const words = () => `words ${randomUUID()}`;

/** One portal for all tests of a file. */
export function usePortal(): () => Portal {
  const { world, upstream } = useUpstream({ UPSTREAM_BODY: 'konstruct' });
  return () => new Portal(world(), upstream());
}

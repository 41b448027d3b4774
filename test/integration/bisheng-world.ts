import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Delivery } from '../../src/protocol/delivery.ts';
import { type FakeUpstream, useUpstream } from './fake-upstream.ts';
import type { Person, World } from './world.ts';

/** A server and the app behind it, which says what the test wants. */
export class Bisheng {
  readonly world: World;
  readonly app: FakeUpstream;

  constructor(world: World, app: FakeUpstream) {
    this.world = world;
    this.app = app;
  }

  /** What the app is given once the user has said `text`. */
  async asked(text: string): Promise<Delivery> {
    return (await this.app.first((body) => body.text === text)).body;
  }

  /** The app says something of a turn. */
  async says({ tenant, turn, channel_id: channel }: Delivery, ...events: object[]): Promise<void> {
    for (const event of events) {
      const { body } = await this.world.outbound({ tenant, channel, turn, ...event });
      expect(body.results[0]?.error).toBeUndefined();
    }
  }

  /** Resolves when the user's last session is gone. */
  async gone({ id, tenant }: Person): Promise<void> {
    for (;;) {
      const { body } = await this.world.internal<{ online: boolean }>(`/users/${id}?tenant=${tenant}`);
      if (!body.online) return;
    }
  }
}

/** A text that no other test says, and a chat that no other test has. */
export const words = () => `words ${randomUUID()}`;
export const newChat = () => randomUUID().replaceAll('-', '');

/** One server for all tests of a file. */
export function useBisheng(): () => Bisheng {
  const { world, upstream } = useUpstream();
  return () => new Bisheng(world(), upstream());
}

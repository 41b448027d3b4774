import type { Reply } from './reply.ts';
import type { Door, Message } from './websocket.ts';

/** Where a system runs, and what opens its doors. */
export interface Place {
  system: SystemName;
  port: number;
  auth_secret?: string;
  internal_token?: string;
  redis_port?: number;
}

export const SYSTEMS = [
  'starwire',
  'seed',
  'seed-redis',
  'socket-io',
  'agents',
  'floor',
  'floor-relay',
  'bare',
] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** How one system is spoken to: by its tabs, and by the service that writes replies. */
export interface Wire {
  /** The socket of a tab. */
  door(user: string): Door;
  /** In the message that says that a tab is live. */
  ready: string;
  /** Begins a reply to a user. */
  reply(user: string): Promise<Reply>;
  /** In the last message of a reply. */
  ended: string;
  /** The text that one message adds to what has come of a reply. Throws where something is missing before it. */
  textOf(message: string, before: number): string;
  /** Where a tab that lost its connection is picked up, and how it is known what it missed. */
  resume?: Resume;
  /** A request of the OpenAI API. */
  completion?(user: string): Completion;
  close(): void;
}

export interface Resume {
  /** Whole messages to a user, one for each token. */
  messages(user: string): Promise<Reply>;
  textOfMessage(message: string): string;
  /** Of the same user, behind what has come. `shown` is how much of a running reply that is. */
  door(user: string, came: readonly Message[], shown: number): Door;
  /** In the last message of the replay, where its last token is given. */
  replayed(last: string): string;
}

export interface Completion {
  port: number;
  path: string;
  headers: Record<string, string>;
}

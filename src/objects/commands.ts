import type { Channel } from '../channel/channel.ts';
import type { KnownFiles } from '../channel/sends.ts';
import type { Session } from '../channel/session.ts';
import { nativeUp } from '../dialects/native.ts';
import { contextOf, type Env } from '../env.ts';
import type { Command } from '../protocol/client-frames.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import { log } from '../protocol/log.ts';
import { exceedsBytes } from '../protocol/text.ts';
import { InOrder } from './in-order.ts';

/** Makes these messages known to the channel where the records have them. */
export type Recall = (ids: readonly string[]) => Promise<void>;

interface ChannelRunner {
  run<T>(work: (channel: Channel) => T): T;
}

/** Characters of frames that may wait behind one that asks for its files or its token: they are in memory. */
const MAX_WAITING = 1_048_576;

/** Client frames of sessions, those of each socket one after the other: what one needs from elsewhere is fetched first. */
export class Commands {
  readonly #env: Env;
  readonly #host: ChannelRunner;
  readonly #order = new InOrder();

  constructor(env: Env, host: ChannelRunner) {
    this.#env = env;
    this.#host = host;
  }

  async take(socket: WebSocket, session: Session, text: string, recall: Recall): Promise<void> {
    if (this.#order.waiting(socket) > MAX_WAITING)
      return session.close(CLOSE.rate_limited, 'too much waits behind an earlier frame');
    // An empty frame counts as well.
    await this.#order.run(socket, text.length + 1, () => this.#command(session, text, recall));
  }

  async #command(session: Session, text: string, recall: Recall): Promise<void> {
    if (exceedsBytes(text, contextOf(this.#env).config.limits.frame_bytes))
      return session.close(CLOSE.too_large, 'the frame is too large');
    const read = nativeUp(text);
    if ('error' in read) return this.#refuse(session, read.error, read.client_id);
    const { command } = read;
    if (command.type === 'refresh') return this.#refresh(session, command);
    if (command.type === 'message' && command.attachments && command.attachments.length > 0)
      return this.#messageWithFiles(session, command);
    if (command.type === 'action') await recall([command.message]);
    this.#host.run((channel) => channel.receive(session, command));
  }

  async #messageWithFiles(session: Session, command: Of<'message'>): Promise<void> {
    const { conversation, attachments, client_id } = command;
    const { identity } = session;
    let known: KnownFiles;
    try {
      known = await contextOf(this.#env).files.claim(identity, conversation, attachments);
    } catch (error) {
      const { tenant, user } = identity;
      log('error', 'the files of a message cannot be looked up', { tenant, user, error });
      const told = new StarwireError('internal', 'the files cannot be looked up; send the message again');
      return this.#refuse(session, told, client_id);
    }
    this.#host.run((channel) => channel.receive(session, command, known));
  }

  async #refresh(session: Session, { token }: Of<'refresh'>): Promise<void> {
    try {
      const identity = await contextOf(this.#env).tokens.verify(token);
      this.#host.run((channel) => channel.refreshed(session, identity));
    } catch (error) {
      if (!(error instanceof StarwireError)) throw error;
      this.#refuse(session, error);
    }
  }

  #refuse(session: Session, error: StarwireError, client_id?: string): void {
    this.#host.run((channel) => channel.malformed(session, error, client_id));
  }
}

type Of<Type extends Command['type']> = Extract<Command, { type: Type }>;

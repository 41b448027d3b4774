import type { PlacedRow } from '../channel/history.ts';
import type { Asked } from '../channel/regenerate.ts';
import { contextOf, type Env } from '../env.ts';
import { CLOSE } from '../protocol/errors.ts';
import type { HistoryPage } from '../protocol/history.ts';
import type { Owner } from '../protocol/identity.ts';
import { log } from '../protocol/log.ts';
import { Drain } from '../records/drain.ts';
import type { Files } from '../records/files.ts';
import { Messages } from '../records/messages.ts';
import { TurnCounts } from '../records/turn-counts.ts';
import type { ChannelHost } from './channel-host.ts';

/** While the records are down they are tried again after 5 s, then after twice as long, at most every 5 min. */
const RETRY_MS = 5_000;
const RETRY_MAX_MS = 300_000;

/** Until when the records need not be tried, and how often they have failed: kept, since the object sleeps in between. */
interface Failing {
  times: number;
  until: number;
}

/** An erasure that is not over: how often it was asked for, and the files that only the person's journals knew. */
interface Erasing {
  times: number;
  strays: string[];
}

const ERASING = 'erasing';
const FAILING = 'failing';

/** A hub's side of the records (D1): drains the journal into them, and reads what it no longer holds. */
export class Recorder {
  readonly #ctx: DurableObjectState;
  readonly #kv: SyncKvStorage;
  readonly #env: Env;
  readonly #host: ChannelHost;
  readonly #owner: Owner;
  readonly #drain: Drain;
  readonly #files: Files;
  readonly #messages: Messages;
  readonly #counts: TurnCounts;
  #running: Promise<void> | undefined;
  #beginning: Promise<void> | undefined;
  /** What is stored here is all there is, or the records know of nothing more. */
  #begun = false;

  constructor(ctx: DurableObjectState, env: Env, host: ChannelHost, owner: Owner) {
    this.#ctx = ctx;
    this.#kv = ctx.storage.kv;
    this.#env = env;
    this.#host = host;
    this.#owner = owner;
    this.#files = contextOf(env).files;
    this.#drain = new Drain(env.DB, this.#files);
    this.#messages = new Messages(env.DB);
    this.#counts = new TurnCounts(env.DB);
  }

  /**
   * Before the first write to a journal: storage that is empty may have been lost, and then the records know where it had come
   * to. Where they are down, the user is taken for a new one.
   */
  async begin(): Promise<void> {
    if (this.#begun || this.#isSettled) return;
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = undefined;
    });
    await this.#beginning;
  }

  get #isSettled(): boolean {
    return this.#host.channel.archive.begun || this.#erasing !== undefined;
  }

  async #begin(): Promise<void> {
    try {
      const seq = await this.#drain.reached(this.#owner);
      if (seq > 0 && !this.#isSettled)
        this.#host.run((channel) => {
          channel.archive.begin(seq);
          // Sessions that came before this was asked were told of an empty journal: they come again.
          channel.closeAll(CLOSE.restart, 'restart');
        });
      this.#begun = true;
    } catch (error) {
      log('error', 'nobody knows whether a user is new', { ...this.#owner, error });
    }
  }

  /** When the records are to be given what they lack (Unix ms). */
  get due(): number | undefined {
    const { unrecordedSince: since, disposals } = this.#host.channel.archive;
    const { record_after_ms } = contextOf(this.#env).config.limits;
    const urgent = disposals.length > 0 || this.#erasing !== undefined;
    const at = urgent ? 0 : since === undefined ? undefined : since + record_after_ms;
    return at === undefined ? undefined : Math.max(at, this.#kv.get<Failing>(FAILING)?.until ?? 0);
  }

  /** As `record`, but a failure is for later: nothing is lost and nothing is cut meanwhile. */
  async try(): Promise<void> {
    try {
      await this.record();
    } catch (error) {
      log('error', 'records are behind', { ...this.#owner, error });
    }
  }

  /** Gives the records all that they lack. Throws where they cannot take it. */
  async record(): Promise<void> {
    this.#running ??= this.#record().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #record(): Promise<void> {
    try {
      for (let asked = this.#erasing; asked; asked = this.#erasing) {
        await this.#drain.erase(this.#owner, asked.strays);
        // What was asked for meanwhile is about more than this one knew.
        if (this.#erasing?.times === asked.times) this.#kv.delete(ERASING);
      }
      const { epoch } = this.#host.channel;
      for (
        let part = this.#host.channel.archive.unrecorded;
        part;
        part = this.#host.channel.archive.unrecorded
      ) {
        const { upTo } = part;
        const ends = this.#host.channel.archive.endings(upTo);
        await this.#drain.put(this.#owner, part);
        await this.#counts.add(this.#owner.tenant, ends);
        if (this.#host.channel.epoch !== epoch) return await this.#record();
        this.#host.run((channel) => channel.archive.recorded(upTo));
      }
      await this.#dispose();
      // Who asked meanwhile waits for this, too.
      if (this.#erasing || this.#host.channel.archive.unrecordedSince !== undefined)
        return await this.#record();
      if (this.#kv.get<Failing>(FAILING)) this.#kv.delete(FAILING);
    } catch (error) {
      const times = (this.#kv.get<Failing>(FAILING)?.times ?? 0) + 1;
      const delay = Math.min(RETRY_MS * 2 ** (times - 1), RETRY_MAX_MS);
      this.#kv.put<Failing>(FAILING, { times, until: Date.now() + delay });
      throw error;
    }
  }

  async #dispose(): Promise<void> {
    for (
      let ids = this.#host.channel.archive.disposals;
      ids.length > 0;
      ids = this.#host.channel.archive.disposals
    ) {
      await this.#files.dispose(this.#owner, ids);
      this.#host.run((channel) => channel.archive.disposed(ids));
    }
  }

  /** The person's journal goes in the same event: the rest of them follows, with the files that only it knows. */
  erasing(): void {
    const { times, strays } = this.#erasing ?? { times: 0, strays: [] };
    this.#kv.put<Erasing>(ERASING, {
      times: times + 1,
      strays: [...strays, ...this.#host.channel.archive.strays],
    });
  }

  get #erasing(): Erasing | undefined {
    return this.#kv.get<Erasing>(ERASING);
  }

  /** A page of history: what the journal holds, and before it the records. */
  async page(conversation: string, before: number, limit: number): Promise<HistoryPage> {
    const { channel } = this.#host;
    const kept = this.#host.run(({ archive }) => archive.history(conversation)).reverse();
    const { cut } = channel.archive;
    const fits = ({ position }: PlacedRow): boolean => position < before;
    const rows = kept.filter((placed) => placed.position > cut && fits(placed)).slice(0, limit + 1);
    if (rows.length <= limit && cut > 0) {
      const range = {
        before: Math.min(before, cut + 1),
        after: channel.conversations.deletedAt(conversation),
      };
      const older = await this.#messages.page(this.#owner, conversation, range, limit + 1 - rows.length);
      // A row that was changed since it left the journal is there as it is now, at its old place.
      const known = new Map(kept.map((placed) => [placed.row.id, placed]));
      rows.push(...older.map((placed) => known.get(placed.row.id) ?? placed));
    }
    const page = rows.slice(0, limit);
    return {
      messages: page.map(({ row }) => channel.archive.render(row)),
      next: rows.length > limit ? (page.at(-1)?.position ?? null) : null,
    };
  }

  /** Rows that the journal no longer holds, but for those of conversations that are being deleted. */
  async rows(ids: readonly string[]): Promise<PlacedRow[]> {
    const { conversations } = this.#host.channel;
    const rows = await this.#messages.byIds(this.#owner, ids);
    return rows.filter(({ position, row }) => position > conversations.deletedAt(row.conversation));
  }

  /** Takes rows back from the records that a change is about to name, before anything else happens to the channel. */
  async recall(ids: readonly string[]): Promise<void> {
    const lacking = this.#host.channel.archive.lacking(ids);
    if (lacking.length === 0) return;
    await this.#ctx.blockConcurrencyWhile(async () => {
      // What throws in here resets the object.
      const rows = await this.rows(lacking).catch((error: unknown) => {
        log('error', 'records cannot be read', { ...this.#owner, error });
        return undefined;
      });
      this.#host.run((channel) => channel.archive.recall(lacking, rows));
    });
  }

  /** What a turn was about that the journal no longer tells; undefined where there was no such turn. */
  async askedBy(turn: string): Promise<Asked | undefined> {
    await this.record();
    const rows = await this.#messages.ofTurn(this.#owner, turn);
    const reply = rows.findLast(({ row }) => row.type === 'message' && row.role === 'assistant')?.row;
    const said = rows.find(({ row }) => row.type === 'message' && row.role === 'user');
    if (said?.row.type === 'message') return { said: { ...said.row, seq: said.position }, reply: reply?.id };
    if (reply?.type !== 'message' || reply.replaces === undefined) return undefined;
    const [before] = await this.rows([reply.replaces]);
    const first = before?.row.turn === undefined ? undefined : await this.askedBy(before.row.turn);
    return first && { ...first, reply: reply.id };
  }
}

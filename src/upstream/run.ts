import type { Delivery } from '../protocol/delivery.ts';
import type { ErrorBody } from '../protocol/errors.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { TurnError, TurnStatus } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import {
  type Call,
  type DeliveredFile,
  RETRY_DELAYS_MS,
  type ReplyEvent,
  UpstreamError,
} from './upstream.ts';

/** One delivery that is to reach the upstream. */
export interface Job {
  delivery: Delivery;
  /** `webhook-id`: the same on every attempt. */
  id: string;
  attempt: number;
  /** Unix ms. */
  due: number;
  /** An attempt broke off on our side: the answer it was giving is not complete, whatever of it has been applied. */
  broken?: true;
}

/** What survives a crash: `calling` is set while an attempt is under way. */
export interface RunRecord {
  jobs: Job[];
  calling: boolean;
}

/** Where the events of a reply go. */
export interface ReplySink {
  push(event: ReplyEvent): Promise<void>;
  /** Everything pushed is stored when it resolves. */
  end(): Promise<void>;
  /** The turn's status as of the last answer. */
  readonly status: TurnStatus | undefined;
  /** Why the first event that was refused was; known once `end` has resolved. */
  readonly refused: ErrorBody | undefined;
}

export interface RunPorts {
  load(): RunRecord | undefined;
  save(record: RunRecord): void;
  now(): number;
  call: Call;
  /**
   * Whether a call that broke off can be made again: a webhook by its id, a generation not. Of a webhook's answer a refused
   * event spoils nothing else (P-UP-8); a generation that cannot be taken as it is has failed.
   */
  repeatable: boolean;
  /** The newest rows of a conversation, newest first. */
  history(conversation: string, limit: number): Promise<readonly HistoryRow[]>;
  /** The files of a delivery, for one attempt. */
  attachments(delivery: Delivery): readonly DeliveredFile[];
  /** A way for the events of one reply; under the same name the same events count once. */
  sink(name: string): ReplySink;
  /** Tells the channel that an attempt is over; the answer is the turn's status. */
  attempted(accepted: boolean): Promise<TurnStatus | undefined>;
}

/**
 * The slow half of a turn: takes deliveries, calls the upstream, and hands its events on. Attempts are stored before they are
 * made, so that after a crash the owner's alarm finds what was under way.
 */
export class TurnRun {
  readonly #ports: RunPorts;
  #abort: AbortController | undefined;
  /** A delivery that was stored as being called, and is not yet. */
  #fresh: string | undefined;
  /** What is stored, read once in a life of the object. */
  #known: RunRecord | undefined;

  constructor(ports: RunPorts) {
    this.#ports = ports;
  }

  /** Whether an attempt is under way in this very life of the object. */
  get active(): boolean {
    return this.#abort !== undefined;
  }

  get #record(): RunRecord | undefined {
    this.#known ??= this.#ports.load();
    return this.#known;
  }

  #save(record: RunRecord): void {
    this.#known = record;
    this.#ports.save(record);
  }

  /** The storage was deleted. */
  gone(): void {
    this.#known = undefined;
  }

  /** When to look again (Unix ms); undefined where there is nothing to do. */
  get due(): number | undefined {
    const job = this.#record?.jobs[0];
    return job && (this.active ? this.#ports.now() + WATCHDOG_MS : job.due);
  }

  /** Adds a delivery, once per id. */
  add(delivery: Delivery, id: string): void {
    const { jobs, calling } = this.#record ?? { jobs: [], calling: false };
    if (jobs.some((job) => job.id === id)) return;
    // The first one is called at once: that an attempt is under way is stored with it.
    const first = jobs.length === 0 && !calling;
    if (first) this.#fresh = id;
    const job = { delivery, id, attempt: 0, due: this.#ports.now() };
    this.#save({ jobs: [...jobs, job], calling: calling || first });
  }

  /** The turn has ended: what is under way is broken off, what waits is dropped. */
  stop(): void {
    this.#save({ jobs: [], calling: false });
    this.#abort?.abort();
  }

  /** Makes the attempts that are due, one after the other. */
  async run(): Promise<void> {
    while (!this.active) {
      const record = this.#record;
      const first = record?.jobs[0];
      if (!record || !first || first.due > this.#ports.now()) return;
      const broken = record.calling && first.id !== this.#fresh;
      const job: Job = broken ? { ...first, broken: true } : first;
      const abort = new AbortController();
      this.#abort = abort;
      try {
        const cut = broken && !this.#ports.repeatable;
        if (!record.calling || first.id !== this.#fresh)
          this.#save({ jobs: record.jobs.with(0, job), calling: true });
        this.#fresh = undefined;
        await (cut ? this.#fail(job.id, CUT_OFF) : this.#attempt(job, abort.signal));
      } finally {
        this.#abort = undefined;
      }
    }
  }

  /** One attempt, and what follows from it. */
  async #attempt(job: Job, signal: AbortSignal): Promise<void> {
    let accepted: Promise<unknown> | undefined;
    const { delivery, id } = job;
    const sink = this.#ports.sink(id);
    try {
      if (job.attempt > 0 && (await this.#isOver(job))) return this.#finished(id);
      const options = {
        id,
        signal,
        history: (limit: number) => this.#ports.history(delivery.conversation, limit),
        attachments: this.#ports.attachments(delivery),
        accepted: () => {
          accepted = this.#ports.attempted(true);
          // Whoever fails below reports it; a lost report is made good by the turn's own deadline.
          accepted.catch(() => undefined);
        },
      };
      for await (const event of this.#ports.call(delivery, options)) {
        await sink.push(event);
        if (signal.aborted || this.#spoiled(sink) || (sink.status && isTerminal(sink.status))) break;
      }
      await sink.end();
      const refused = this.#spoiled(sink);
      if (refused) throw new UpstreamError(notTaken(refused));
      await accepted;
      this.#finished(id);
    } catch (error) {
      // The turn has ended: only the way into the channel is left to close, and it no longer matters how.
      if (signal.aborted) return void (await sink.end().catch(() => undefined));
      if (error instanceof UpstreamError) {
        await sink.end();
        return this.#failed(job, error);
      }
      // A fault of ours: what came is stored by the channel; the alarm looks again.
      this.#later(job, RETRY_DELAYS_MS[job.attempt], true);
      throw error;
    }
  }

  #spoiled({ refused }: ReplySink): ErrorBody | undefined {
    return this.#ports.repeatable ? undefined : refused;
  }

  /** Whether another attempt is of no use any more. */
  async #isOver(job: Job): Promise<boolean> {
    if (job.delivery.type === 'cancel') return false;
    const status = await this.#ports.attempted(false);
    return ended(status) || hasReplied(job, status);
  }

  async #failed(job: Job, error: UpstreamError): Promise<void> {
    const { type } = job.delivery;
    const delay = error.retry ? RETRY_DELAYS_MS[job.attempt] : undefined;
    if (type !== 'cancel') {
      const status = await this.#ports.attempted(false);
      if (ended(status) || (error.retry && hasReplied(job, status))) return this.#finished(job.id);
      if (delay === undefined) return this.#fail(job.id, error.turnError);
    }
    this.#later(
      job,
      delay === undefined
        ? undefined
        : Math.max(delay, Math.min(error.retry_after_ms ?? 0, LONGEST_RETRY_AFTER_MS)),
      false,
    );
  }

  /** Puts a delivery off; without a delay it is given up. */
  #later(job: Job, delay: number | undefined, calling: boolean): void {
    if (delay === undefined) return this.#finished(job.id);
    const due = this.#ports.now() + delay;
    const jobs = this.#jobs.map((one) =>
      one.id === job.id ? { ...one, attempt: one.attempt + 1, due } : one,
    );
    this.#save({ jobs, calling });
  }

  get #jobs(): Job[] {
    return this.#record?.jobs ?? [];
  }

  /** Tells the channel that the turn has failed. */
  async #fail(id: string, error: TurnError): Promise<void> {
    const sink = this.#ports.sink(`${id} failed`);
    await sink.push({ kind: 'error', ...error });
    await sink.end();
    this.#save({ jobs: [], calling: false });
  }

  #finished(id: string): void {
    this.#save({ jobs: this.#jobs.filter((job) => job.id !== id), calling: false });
  }
}

function ended(status: TurnStatus | undefined): boolean {
  return status === undefined || isTerminal(status);
}

/** An outbound event of the turn ends the retries (P-UP-3): the upstream has the message after all. */
function hasReplied({ delivery, broken }: Job, status: TurnStatus | undefined): boolean {
  // A running turn says nothing about an answer to a question within it, nor about one that was cut off in the middle.
  return status === 'running' && delivery.type !== 'answer' && !broken;
}

/** How often a run under way is looked after: an object that died in the middle is found by its alarm. */
const WATCHDOG_MS = 30_000;
const LONGEST_RETRY_AFTER_MS = 120_000;

function notTaken({ message }: ErrorBody): TurnError {
  return { ...CUT_OFF, message: `The reply cannot be shown: ${message}.` };
}

const CUT_OFF: TurnError = {
  label: 'Reply interrupted',
  type: 'upstream_stream',
  message: 'The reply was interrupted before it was complete.',
  hint: 'Send the message again.',
};

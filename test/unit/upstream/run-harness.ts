import { type Delivery, delivery } from '../../../src/protocol/delivery.ts';
import type { ErrorBody } from '../../../src/protocol/errors.ts';
import type { TurnStatus } from '../../../src/protocol/server-frames.ts';
import { type ReplySink, type RunPorts, type RunRecord, TurnRun } from '../../../src/upstream/run.ts';
import { type Call, type ReplyEvent, UpstreamError } from '../../../src/upstream/upstream.ts';

export function deliveryOf(type: Delivery['type'] = 'message'): Delivery {
  return delivery({
    ...{ type, tenant: 'default', channel_id: 'webchat:ada', conversation: 'default', turn: 'turn_1' },
    ...{
      seq: 1,
      message_id: 'msg_1',
      user_id: 'ada',
      user_name: 'Ada',
      avatar: '',
      text: 'hi',
      timestamp: 0,
    },
  });
}

/** A failure as the webhook tells it. */
export function failure(retry: boolean, retry_after_ms?: number): UpstreamError {
  const type = retry ? 'upstream_unreachable' : 'upstream_rejected';
  return new UpstreamError({ label: 'Failed', type, message: '', hint: '' }, { retry, retry_after_ms });
}

/** A call as it was made. */
export interface Made {
  at: number;
  id: string;
  type: Delivery['type'];
}

/** The world of a TurnRun: storage that survives it, a clock that jumps, a channel that is only a status. */
export class Harness {
  now = 0;
  status: TurnStatus | undefined = 'queued';
  /** What the upstream does on each call; the last one for all others. */
  steps: Call[] = [];
  repeatable = true;
  readonly made: Made[] = [];
  readonly events: ReplyEvent[] = [];
  readonly sinks: { name: string; ended: boolean }[] = [];
  readonly attempted: boolean[] = [];
  /** Set to have the channel fail. */
  broken: Error | undefined;
  /** Set to have the channel refuse whatever is no error. */
  refused: ErrorBody | undefined;
  run: TurnRun;
  #stored: string | undefined;

  constructor(fields: Partial<Pick<Harness, 'steps' | 'repeatable' | 'status'>> = {}) {
    Object.assign(this, fields);
    this.run = this.#live();
  }

  /** The object dies and is made again: only what was stored is left. */
  crash(): void {
    this.run = this.#live();
  }

  #live(): TurnRun {
    const ports: RunPorts = {
      load: () => (this.#stored === undefined ? undefined : JSON.parse(this.#stored)),
      save: (record: RunRecord) => {
        this.#stored = JSON.stringify(record);
      },
      now: () => this.now,
      call: (delivery, options) => {
        this.made.push({ at: this.now, id: options.id, type: delivery.type });
        const step = this.steps[Math.min(this.made.length, this.steps.length) - 1];
        if (!step) throw new Error('a call that the test did not expect');
        return step(delivery, options);
      },
      history: async () => [],
      attachments: () => [],
      repeatable: this.repeatable,
      sink: (name) => this.#sink(name),
      attempted: async (accepted) => {
        this.attempted.push(accepted);
        return this.status;
      },
    };
    return new TurnRun(ports);
  }

  #sink(name: string): ReplySink {
    const sink = { name, ended: false };
    this.sinks.push(sink);
    const status = () => this.status;
    const refused = () => this.refused;
    return {
      push: async (event) => {
        if (this.broken) throw this.broken;
        if (this.refused && event.kind !== 'error') return;
        this.events.push(event);
        if (event.kind === 'done') this.status = 'completed';
        else if (event.kind === 'error') this.status = 'failed';
        else this.status = 'running';
      },
      end: async () => {
        sink.ended = true;
      },
      get status() {
        return status();
      },
      get refused() {
        return refused();
      },
    };
  }

  /** Lets the owner's alarm ring until nothing is due any more. */
  async settle(): Promise<void> {
    for (let rings = 0; rings < 20; rings += 1) {
      await this.run.run();
      const { due } = this.run;
      if (due === undefined) return;
      this.now = Math.max(this.now, due);
    }
    throw new Error('it never settled');
  }
}

export const replies = (...events: ReplyEvent[]): Call =>
  async function* (_, { accepted }) {
    accepted();
    yield* events;
  };

export const accepts: Call = replies();

export const fails = (error: Error): Call =>
  async function* () {
    yield* [];
    throw error;
  };

/** Accepts, gives these, and then hangs until it is aborted. */
export const hangs = (...events: ReplyEvent[]): Call =>
  async function* (_, { accepted, signal }) {
    accepted();
    yield* events;
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };

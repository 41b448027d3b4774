import { StarwireError } from '../protocol/errors.ts';
import type { Sql } from './ports.ts';
import type { Tables } from './tables.ts';

/** `Producer-Id`, `Producer-Epoch`, `Producer-Seq` of a request, as the Durable Streams protocol defines them (P-UP-7). */
export interface Producer {
  id: string;
  epoch: number;
  seq: number;
}

/** A refusal with what the producer needs to go on; told in response headers. */
export class ProducerError extends StarwireError {
  readonly headers: Record<string, string>;

  constructor(
    code: 'forbidden' | 'conflict' | 'bad_request',
    message: string,
    headers: Record<string, string>,
  ) {
    super(code, message);
    this.headers = headers;
  }
}

/** Fencing and order of the producers of one channel. */
export class Producers {
  readonly #sql: Sql;
  readonly #tables: Tables;

  constructor(sql: Sql, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /** Passes a request that is the next one, or a repetition of an earlier one; throws for a stale epoch or a gap. */
  check({ id, epoch, seq }: Producer): void {
    const known = this.#find(id);
    if (known && epoch < known.epoch) {
      throw new ProducerError('forbidden', `the producer was fenced off by epoch ${known.epoch}`, {
        'Producer-Epoch': String(known.epoch),
      });
    }
    if (known && epoch > known.epoch && seq !== 0) {
      throw new ProducerError('bad_request', 'a new Producer-Epoch begins with Producer-Seq 0', {});
    }
    const expected = known && epoch === known.epoch ? known.seq + 1 : 0;
    if (seq > expected) {
      throw new ProducerError('conflict', `Producer-Seq has a gap: expected ${expected}, received ${seq}`, {
        'Producer-Expected-Seq': String(expected),
        'Producer-Received-Seq': String(seq),
      });
    }
  }

  #find(id: string): { epoch: number; seq: number } | undefined {
    if (!this.#tables.has('producers')) return undefined;
    return this.#sql.all<{ epoch: number; seq: number }>(
      'SELECT epoch, seq FROM producers WHERE producer = ?',
      id,
    )[0];
  }

  /** Whether a request of this epoch has begun, so that nothing of it must be stored before its text is shown. */
  began({ id, epoch }: Producer): boolean {
    return this.#find(id)?.epoch === epoch;
  }

  /** A request of this epoch has begun: older epochs are fenced off from here on. Inside a transaction. */
  begin({ id, epoch }: Producer, now: number): void {
    this.#tables.make('producers');
    this.#sql.run(
      'INSERT INTO producers (producer, epoch, seq, at) VALUES (?, ?, -1, ?) ON CONFLICT (producer) DO UPDATE SET epoch = excluded.epoch, seq = -1, at = excluded.at WHERE excluded.epoch > epoch',
      id,
      epoch,
      now,
    );
  }

  /** The request came to its end: the next one may follow. Inside a transaction. */
  end({ id, epoch, seq }: Producer, now: number): void {
    this.#sql.run(
      'UPDATE producers SET seq = max(seq, ?), at = ? WHERE producer = ? AND epoch = ?',
      seq,
      now,
      id,
      epoch,
    );
  }
}

/** The idempotency key of a producer's request. */
export function producerKey({ id, epoch, seq }: Producer): string {
  return `producer ${JSON.stringify([id, epoch, seq])}`;
}

import { StarwireError } from './errors.ts';
import type { ReplyEvent } from './events.ts';
import { type Asked, type Cancellation, type IncomingMessage, verifyWebhook } from './incoming.ts';
import type { Verification } from './signature.ts';
import type { OpenStreams, TurnStream } from './turn-stream.ts';

/**
 * What a bot does with a message. An `async function` replies through `reply`, whenever it likes: the delivery is accepted at
 * once, and a reply that was begun is ended when it returns. An `async function*` yields its reply, which is streamed inside
 * the response.
 */
export type OnMessage = (message: Asked, reply: TurnStream) => Answer;

export type Answer = undefined | Promise<unknown> | AsyncIterable<string | ReplyEvent>;

/** What a Worker is given beside a request. */
export interface Execution {
  waitUntil(work: Promise<unknown>): void;
}

export interface HandlerOptions {
  /** Told of what a bot throws, and of what Starwire refuses. The user is told only that something failed. */
  onError?: (error: unknown, message: Asked) => void;
  onCancel?: (message: Cancellation) => void;
}

export type Handler = (request: Request, execution?: Execution) => Promise<Response>;

/** Deliveries that were accepted are remembered up to this number: a repetition of one is not answered again. */
const REMEMBERED = 1_000;

const FAILED = {
  label: 'Error',
  type: 'upstream_error',
  message: 'The service could not answer.',
  hint: 'Send the message again.',
};

/** The streams that are open in this process, and the way in for what concerns them. */
export class Inbox implements OpenStreams {
  readonly #open = new Set<TurnStream>();
  readonly #accepted = new Set<string>();

  add(stream: TurnStream): void {
    this.#open.add(stream);
  }

  remove(stream: TurnStream): void {
    this.#open.delete(stream);
  }

  /** A handler of deliveries, for whatever speaks `Request` and `Response`. */
  handler(
    onMessage: OnMessage,
    how: Verification,
    reply: (message: Asked) => TurnStream,
    { onError = report, onCancel }: HandlerOptions,
  ): Handler {
    return async (request, execution) => {
      if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
      let message: IncomingMessage;
      try {
        message = await verifyWebhook(request, how);
      } catch (error) {
        if (error instanceof StarwireError) return new Response(error.message, { status: error.status });
        throw error;
      }
      if (message.type === 'cancel') {
        for (const stream of this.#open) if (stream.turn === message.turn) stream.abort();
        onCancel?.(message);
        return accepted();
      }
      if (this.#accepted.has(message.id) || this.#isAwaited(message)) return accepted();

      // An answer belongs to the reply that is under way, where that is this process's own.
      const under_way = [...this.#open].find(({ turn }) => turn === message.turn);
      const stream = under_way ?? reply(message);
      const answer = onMessage(message, stream);
      if (isParts(answer) && !under_way) return inline(answer, (error) => onError(error, message));
      this.#remember(message.id);
      const work = under_way ? written(answer, stream) : this.finish(answer, stream);
      const told = work.catch((error: unknown) => onError(error, message));
      execution?.waitUntil(told);
      return accepted();
    };
  }

  /** An answer that a reply of this process waits for. */
  #isAwaited(message: Asked): boolean {
    if (message.type !== 'answer') return false;
    const { prompt, value } = message.extra;
    return [...this.#open].some((stream) => stream.answer(prompt, value));
  }

  #remember(id: string): void {
    this.#accepted.add(id);
    const [oldest] = this.#accepted;
    if (this.#accepted.size > REMEMBERED && oldest !== undefined) this.#accepted.delete(oldest);
  }

  /** Sees a reply to its end: one that was begun is ended, and one that fails is told so. */
  async finish(answer: Answer, stream: TurnStream): Promise<void> {
    // It can be cancelled before it says anything.
    this.add(stream);
    try {
      await written(answer, stream);
      if (stream.begun && !stream.ended) await stream.done();
    } catch (error) {
      // The turn is over: there is nobody left to tell.
      if (stream.signal.aborted || (error instanceof StarwireError && error.code === 'turn_finished')) return;
      if (!stream.ended) await stream.fail(FAILED);
      throw error;
    } finally {
      this.remove(stream);
    }
  }
}

function isParts(answer: Answer): answer is AsyncIterable<string | ReplyEvent> {
  return typeof answer === 'object' && Symbol.asyncIterator in answer;
}

async function written(answer: Answer, stream: TurnStream): Promise<void> {
  if (!isParts(answer)) return void (await answer);
  for await (const part of answer) await stream.write(part);
}

const accepted = (): Response => new Response(null, { status: 202 });

function report(error: unknown): void {
  console.error('Starwire:', error);
}

/** A reply inside the response, as NDJSON (P-UP-3). Whoever reads it sets the pace; where they go, the bot is stopped. */
function inline(parts: AsyncIterable<string | ReplyEvent>, onError: (error: unknown) => void): Response {
  const encoder = new TextEncoder();
  const events = eventsOf(parts, onError);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      async cancel() {
        await events.return();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

/** The events of a reply to its end; what is thrown ends it as failed. */
async function* eventsOf(
  parts: AsyncIterable<string | ReplyEvent>,
  onError: (error: unknown) => void,
): AsyncGenerator<ReplyEvent, void, undefined> {
  try {
    for await (const part of parts) {
      const event: ReplyEvent = typeof part === 'string' ? { kind: 'chunk', text: part } : part;
      yield event;
      if (event.kind === 'done' || event.kind === 'error') return;
    }
    yield { kind: 'done' };
  } catch (error) {
    onError(error);
    yield { kind: 'error', ...FAILED };
  }
}

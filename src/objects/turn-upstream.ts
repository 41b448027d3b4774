import type { StartPolicy } from '../channel/calls.ts';
import { contextOf, type Env } from '../env.ts';
import type { Delivery } from '../protocol/delivery.ts';
import { StarwireError } from '../protocol/errors.ts';
import { log } from '../protocol/log.ts';
import { callOf } from '../upstream/calls.ts';
import { completion } from '../upstream/completion.ts';
import type { RunPorts } from '../upstream/run.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { RequestBody } from './request-body.ts';
import type { Owner } from './request-types.ts';

/**
 * The upstream of one turn: the tenant's own as it stood when the turn began, with its secrets still sealed, so that retries,
 * answers and a cancel reach the service that has the turn. Without one of its own, what the variables say now.
 */
export class TurnUpstream implements Pick<RunPorts, 'call' | 'repeatable'> {
  readonly #env: Env;
  readonly #owner: () => Owner;
  readonly #body: RequestBody;

  constructor(env: Env, owner: () => Owner, body: RequestBody) {
    this.#env = env;
    this.#owner = owner;
    this.#body = body;
  }

  get #mode() {
    return (this.#owner().upstream ?? contextOf(this.#env).config.upstream).mode;
  }

  /** A webhook is called again by its id, a generation is not. */
  get repeatable(): boolean {
    return this.#mode === 'webhook';
  }

  /** P-WS-15: a webhook's service keeps its own order; the others answer one message at a time. */
  get policy(): StartPolicy {
    return this.#mode === 'webhook' ? 'ordered' : 'serial';
  }

  call: RunPorts['call'] = (delivery, options) => this.#call(delivery, options);

  /** The delivery with the body of its request, of which nothing else stays in memory meanwhile. */
  #whole(stored: Delivery): Delivery | undefined {
    if (stored.type !== 'completion') return stored;
    const body = this.#body.text;
    return body === undefined ? undefined : completion(stored, body);
  }

  async *#call(...[stored, options]: Parameters<RunPorts['call']>): ReturnType<RunPorts['call']> {
    const { tenant, user, turn, upstream } = this.#owner();
    const { config, tenants } = contextOf(this.#env);
    const delivery = this.#whole(stored);
    // The turn had ended before it was its time to be called.
    if (!delivery) return;
    const opened = upstream
      ? await tenants.open(tenant, upstream).catch((error: unknown) => unusable(error, { tenant, turn }))
      : config.upstream;
    for await (const event of callOf(opened, config.limits)(delivery, options)) {
      // What serves one tenant has no say in another's channels.
      if (upstream && event.to && event.to.tenant !== tenant)
        log('warn', 'event of a reply refused', {
          ...{ tenant, user, turn },
          code: 'forbidden',
          message: 'it names another tenant',
        });
      else yield event;
    }
  }
}

/** Who wrote the message can do nothing about it; the log says what the operator can. */
function unusable(error: unknown, ids: { tenant: string; turn: string }): never {
  if (!(error instanceof StarwireError)) throw error;
  log('error', 'an upstream cannot be used', { ...ids, code: error.code, message: error.message });
  throw new UpstreamError({
    label: 'Service not configured',
    type: error.code,
    message: 'The service of this chat is not set up completely.',
    hint: 'The operator of this chat should look at its settings.',
  });
}

import * as v from 'valibot';
import type { Upstream } from '../config.ts';
import { boundedText } from '../protocol/bounded-text.ts';
import { StarwireError } from '../protocol/errors.ts';

/** A model as `GET /v1/models` shows it (P-OA-1). */
export interface Model {
  id: string;
  object: 'model';
  /** Unix seconds. */
  created: number;
  owned_by: string;
}

const TIMEOUT_MS = 10_000;
/** Routers offer some hundred models in half a megabyte. */
const BODY_BYTES = 4_194_304;
const MOST = 5_000;

const Models = v.object({
  data: v.pipe(
    v.array(
      v.looseObject({
        id: v.string(),
        created: v.optional(v.number(), 0),
        owned_by: v.optional(v.string(), 'upstream'),
      }),
    ),
    v.maxLength(MOST),
  ),
});

/** How long what an upstream offers may be repeated without asking it again. */
const CACHE_MS = 60_000;
const CACHE_UPSTREAMS = 200;

/** What upstreams offer. */
export class Offers {
  readonly #cache = new Map<string, { models: Model[]; until: number }>();

  /**
   * What is configured, or else what an OpenAI-compatible upstream itself names. Where it cannot be read, what it named last, or
   * the one model that it would be asked for; without either throws `upstream_unreachable`.
   */
  async of(upstream: Upstream): Promise<Model[]> {
    const { mode, models, model } = upstream;
    if (models.length > 0) return models.map(({ id }) => modelOf(id));
    if (mode === 'demo') return [modelOf('starwire-demo')];
    if (mode === 'webhook') return [modelOf(model ?? DEFAULT_MODEL)];
    const { url, api_key } = upstream;
    const key = JSON.stringify([url, api_key]);
    const known = this.#cache.get(key);
    if (known && known.until > Date.now()) return known.models;
    try {
      const read = await readModels(upstream);
      if (this.#cache.size >= CACHE_UPSTREAMS) this.#cache.clear();
      this.#cache.set(key, { models: read, until: Date.now() + CACHE_MS });
      return read;
    } catch {
      if (known) return known.models;
      if (model !== undefined) return [modelOf(model)];
      throw new StarwireError('upstream_unreachable', 'the models of the upstream cannot be read');
    }
  }
}

/** The name of whatever answers, where nothing names one. */
export const DEFAULT_MODEL = 'starwire';

function modelOf(id: string): Model {
  return { id, object: 'model', created: 1_767_225_600, owned_by: 'starwire' };
}

async function readModels({ url = '', api_key }: Upstream): Promise<Model[]> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/models`, {
    headers: {
      'user-agent': 'Starwire',
      ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
    },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`it answered ${response.status}`);
  }
  const { data } = v.parse(Models, JSON.parse(await boundedText(response.body, BODY_BYTES)));
  return data.map(({ id, created, owned_by }) => ({ id, object: 'model', created, owned_by }));
}

/** The model to ask the upstream for, where `asked` was named; undefined: it is for the caller to say. */
export function modelFor({ models, model }: Upstream, asked: unknown): string | undefined {
  const offered = models.find(({ id }) => id === asked) ?? models.find(({ id }) => id === model) ?? models[0];
  return offered ? (offered.upstream ?? offered.id) : model;
}

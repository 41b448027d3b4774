import * as v from 'valibot';
import type { Upstream } from '../../config.ts';
import { StarwireError } from '../../protocol/errors.ts';
import { readAtMost } from './body.ts';

const TIMEOUT_MS = 10_000;
const MODELS_BYTES = 4_194_304;

const Models = v.object({
  data: v.array(
    v.looseObject({
      id: v.string(),
      created: v.optional(v.number(), 0),
      owned_by: v.optional(v.string(), 'upstream'),
    }),
  ),
});

export interface Model {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
}

/** What the upstream offers. Throws `upstream_unreachable`. */
export async function upstreamModels({ url = '', api_key }: Upstream): Promise<Model[]> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/models`, {
      headers: {
        'user-agent': 'Starwire',
        ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const { text, whole } = await readAtMost(response, MODELS_BYTES);
    if (!whole) throw new Error('its list is too large');
    const { data } = v.parse(Models, JSON.parse(text));
    return data.map(({ id, created, owned_by }) => ({ id, object: 'model', created, owned_by }));
  } catch {
    throw new StarwireError('upstream_unreachable', 'the models of the upstream cannot be read');
  }
}

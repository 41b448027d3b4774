import type { Upstream } from '../config.ts';
import type { Delivery } from '../protocol/delivery.ts';
import type { Limits } from '../protocol/limits.ts';
import { bridge } from './bridge/bridge.ts';
import { demo } from './demo/demo.ts';
import { modelFor } from './models.ts';
import type { Call } from './upstream.ts';
import { webhook } from './webhook.ts';

/** How an upstream is called. */
export function callOf(upstream: Upstream, limits: Limits): Call {
  switch (upstream.mode) {
    case 'demo':
      return demo;
    case 'webhook':
      return webhook(upstream, limits);
    case 'openai':
      return (delivery, options) =>
        bridge({ ...upstream, model: modelFor(upstream, askedOf(delivery)) }, limits)(delivery, options);
    default:
      return upstream.mode satisfies never;
  }
}

/** The model that a `/v1` client names. */
function askedOf({ request }: Delivery): unknown {
  return typeof request === 'object' && request !== null && 'model' in request ? request.model : undefined;
}

import type { Config } from '../config.ts';
import { bridge } from './bridge/bridge.ts';
import { demo } from './demo/demo.ts';
import type { Call } from './upstream.ts';
import { webhook } from './webhook.ts';

/** How the configured upstream is called, and whether a call that broke off can be made again. */
export function upstreamOf({ upstream, limits }: Config): { call: Call; repeatable: boolean } {
  switch (upstream.mode) {
    case 'demo':
      return { call: demo, repeatable: false };
    case 'webhook':
      return { call: webhook(upstream, limits), repeatable: true };
    case 'openai':
      return { call: bridge(upstream, limits), repeatable: false };
    default:
      return upstream.mode satisfies never;
  }
}

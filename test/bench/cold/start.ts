/** Serves the production bundle with nothing else around it, and says when it listens: what a cold start is measured on. */
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { describeWorkers, onThisMachine } from '../../../src/local/runtime.ts';
import { endOnSignal } from '../../../src/local/signals.ts';

const [state = ''] = process.argv.slice(2);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...describeWorkers({
      AUTH_SECRET: 'bench-auth-secret-bench-auth-secret-00',
      INTERNAL_TOKEN: 'bench-internal-token-0001',
      UPSTREAM_WEBHOOK_SECRET: 'whsec_YmVuY2gtd2ViaG9vay1zZWNyZXQtYmVuY2g=',
      UPSTREAM_MODE: 'demo',
    }),
    ...onThisMachine(0, state),
  }),
);
endOnSignal(miniflare);
const { port } = await miniflare.ready;
console.log(`listening on ${port}`);

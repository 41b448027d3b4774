import type { Env as WorkerEnv } from '../../src/worker.ts';

/** What `env` and `exports` of `cloudflare:workers` are in these tests: those of the Worker itself. */
declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import('../../src/worker.ts');
      durableNamespaces: 'UserHub' | 'RequestStream' | 'Directory';
    }
    interface Env extends WorkerEnv {}
  }
}

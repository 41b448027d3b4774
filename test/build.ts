import { ensureBuilt } from '../src/local/build.ts';

/** Vitest's global setup for the suites that run the production bundle. */
export default function setup(): void {
  ensureBuilt(console.log);
}

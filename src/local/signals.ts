import type { Miniflare } from 'miniflare';

/** P-RUN-2 allows 5 s from the signal to the end of everything. */
const dispose_ms = 3_000;

/**
 * Ends Miniflare and this process on Ctrl-C and SIGTERM.
 *
 * Miniflare listens too, and exits at once while workerd still holds the port: its listeners go. Its exit hook stays
 * and kills workerd where disposing takes too long.
 */
export function endOnSignal(miniflare: Miniflare): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => {
      setTimeout(() => process.exit(), dispose_ms);
      void miniflare.dispose().then(
        () => process.exit(),
        () => process.exit(1),
      );
    });
  }
}

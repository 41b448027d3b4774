/**
 * Runs the latest of many requests at most once per painted frame, so that a fast stream costs what the screen can
 * show. Where nothing is painted (a hidden tab) it runs at once.
 */
export function oncePerFrame(run: () => void): () => void {
  let asked = 0;
  return () => {
    if (document.hidden) {
      cancelAnimationFrame(asked);
      asked = 0;
      run();
    } else if (asked === 0) {
      asked = requestAnimationFrame(() => {
        asked = 0;
        run();
      });
    }
  };
}

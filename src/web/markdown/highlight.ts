import { signal } from '@preact/signals';
import type { HLJSApi } from 'highlight.js';

/** Set once the highlighter is there; it is fetched when the first code block is shown. */
export const highlighter = signal<HLJSApi | undefined>(undefined);

let asked = false;

/** Fetches the highlighter, the first time it is called. Without it code is shown plain. */
export function wantHighlighter(): void {
  if (asked) return;
  asked = true;
  import('./languages.ts').then(
    ({ hljs }) => {
      highlighter.value = hljs;
    },
    () => {
      // The network is away: the next code block asks again.
      asked = false;
    },
  );
}

/** A long block is coloured when it is complete; while it streams, only as long as that costs next to nothing. */
const LIVE_LENGTH = 4_000;
const MAX_LENGTH = 100_000;

/** HTML of highlighted code; undefined where it is to be shown plain. */
export function highlight(code: string, language: string, live: boolean): string | undefined {
  const hljs = highlighter.value;
  if (!hljs?.getLanguage(language) || code.length > (live ? LIVE_LENGTH : MAX_LENGTH)) return undefined;
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

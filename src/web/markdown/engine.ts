import { signal } from '@preact/signals';
import type { Token } from 'marked';

/** What turns Markdown into safe HTML. */
export interface Engine {
  lex(text: string): Token[];
  blockHtml(token: Token, level: number): string;
}

/** Half of the page's script, fetched while the socket connects: what it draws has to arrive first anyway. */
export const engine = signal<Engine | undefined>(undefined);

const RETRY_MS = 2_000;
let asked = false;

export function wantEngine(): void {
  if (asked) return;
  asked = true;
  import('./render.ts').then(
    ({ lex, blockHtml }) => {
      engine.value = { lex, blockHtml };
    },
    () => {
      // The network is away; nothing can be shown without it, so trying goes on.
      asked = false;
      setTimeout(wantEngine, RETRY_MS);
    },
  );
}

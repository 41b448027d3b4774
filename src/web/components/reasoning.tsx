import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';

/** The last words of a thought, as a glimpse while it goes on. */
function glimpse(text: string): string {
  return text.slice(-160).replace(/\s+/g, ' ').trim();
}

/** What the model thought before it spoke: folded, with a glimpse of it while it thinks. */
export function Reasoning({ text, live }: { text: string; live: boolean }): JSX.Element {
  return (
    <details class={live ? 'reasoning is-live' : 'reasoning'}>
      <summary>
        <Icon name="chevron" size={14} />
        <span class="reasoning-label">{live ? strings.reasoning.live : strings.reasoning.done}</span>
        {live && (
          <span class="reasoning-glimpse" aria-hidden="true">
            <bdi>{glimpse(text)}</bdi>
          </span>
        )}
      </summary>
      <div class="reasoning-text" dir="auto">
        {text}
      </div>
    </details>
  );
}

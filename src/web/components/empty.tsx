import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { Emblem } from './icons.tsx';
import { useRoom } from './room-context.ts';

function greeting(name: string): string {
  const hour = new Date().getHours();
  if (hour >= 5 && hour < 12) return strings.empty.morning(name);
  return hour >= 12 && hour < 18 ? strings.empty.afternoon(name) : strings.empty.evening(name);
}

/** Before the first message: a welcome, and ways to begin. */
export function Empty(): JSX.Element {
  const { client, user } = useRoom();
  const name = user.value?.name || user.value?.id || '';
  return (
    <div class="empty">
      <Emblem />
      <h2 dir="auto">{greeting(name)}</h2>
      <p class="lead">{strings.empty.lead}</p>
      <ul class="suggestions">
        {strings.empty.suggestions.map(({ send, title, hint }) => (
          <li key={send}>
            <button
              type="button"
              class="suggestion"
              data-testid="suggestion"
              onClick={() => client.message({ text: send })}
            >
              <span>{title}</span>
              <kbd>{hint}</kbd>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

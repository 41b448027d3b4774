import type { JSX } from 'preact';
import { settings } from '../settings.ts';
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
  const room = useRoom();
  const { user } = room;
  // These words mean something to the demo only.
  const demo = settings.value?.demo === true;
  const name = user.value?.name || user.value?.id || '';
  return (
    <div class="empty">
      <Emblem />
      <h2 dir="auto">{greeting(name)}</h2>
      <p class="lead">{demo ? strings.empty.demo : strings.empty.lead}</p>
      {demo && (
        <ul class="suggestions">
          {strings.empty.suggestions.map(({ send, title }) => (
            <li key={send}>
              <button
                type="button"
                class="suggestion"
                data-testid="suggestion"
                onClick={() => room.say(send)}
              >
                <span>{title}</span>
                <kbd>{send}</kbd>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

import type { JSX } from 'preact';
import type { ConversationSummary } from '../../../client/index.ts';
import { strings } from '../../strings.ts';
import { titleOf } from '../../titles.ts';
import { useRoom } from '../room-context.ts';
import { ConversationRow } from './conversation-row.tsx';

const DAY_S = 86_400;

/** Which heading a conversation stands under. */
function ageOf({ updated_at }: ConversationSummary): 'today' | 'yesterday' | 'week' | 'older' {
  const midnight_s = new Date().setHours(0, 0, 0, 0) / 1000;
  if (updated_at >= midnight_s) return 'today';
  if (updated_at >= midnight_s - DAY_S) return 'yesterday';
  return updated_at >= midnight_s - 6 * DAY_S ? 'week' : 'older';
}

const AGES = ['today', 'yesterday', 'week', 'older'] as const;

/** The conversations whose titles have the words in them, by age. */
export function ConversationList({ filter, opened }: { filter: string; opened(): void }): JSX.Element {
  const { list } = useRoom();
  const { side: words } = strings;
  const wanted = filter.toLocaleLowerCase();
  const shown = list.shown.value.filter((one) => titleOf(one).toLocaleLowerCase().includes(wanted));
  const state = list.state.value;
  return (
    <>
      {AGES.map((age) => {
        const group = shown.filter((one) => ageOf(one) === age);
        if (group.length === 0) return null;
        return (
          <section key={age} aria-label={words[age]}>
            <h2 class="side-heading">{words[age]}</h2>
            <ul class="conversations">
              {group.map((one) => (
                <ConversationRow key={one.id} one={one} opened={opened} />
              ))}
            </ul>
          </section>
        );
      })}
      {shown.length === 0 && filter === '' && state === 'idle' && <p class="side-note">{words.empty}</p>}
      {state === 'failed' && (
        <p class="side-note" role="alert">
          {words.failed}{' '}
          <button type="button" class="link" onClick={() => void list.load()}>
            {words.retry}
          </button>
        </p>
      )}
      {list.more && state !== 'failed' && (
        <button type="button" class="pill side-more" onClick={() => void list.load({ next: true })}>
          {words.more}
        </button>
      )}
    </>
  );
}

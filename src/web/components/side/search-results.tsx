import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { SearchResult } from '../../../client/index.ts';
import { addressOf } from '../../place.ts';
import { strings } from '../../strings.ts';
import { titleOf } from '../../titles.ts';
import { useRoom } from '../room-context.ts';

/** A pause at the keyboard after which it is worth asking the server. */
const PAUSE_MS = 250;
const MOST = 30;

/** What is emphasised in a snippet, if anything, is shown as plain text. */
const plain = (snippet: string): string => snippet.replace(/<\/?(?:b|mark|em)>/g, '');

/** Messages that have the words in them, wherever they were said. */
export function SearchResults({ query, opened }: { query: string; opened(): void }): JSX.Element {
  const { api, place, list: known } = useRoom();
  const found = useSignal<readonly SearchResult[] | 'failed' | undefined>(undefined);
  const { side: words } = strings;

  useEffect(() => {
    const asking = new AbortController();
    found.value = undefined;
    const ask = async (): Promise<void> => {
      try {
        found.value = (await api.search(query, MOST, asking.signal)).items;
      } catch {
        if (!asking.signal.aborted) found.value = 'failed';
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [query, api]);

  const results = found.value;
  const note =
    results === undefined
      ? words.searching
      : results === 'failed'
        ? words.searchFailed
        : results.length === 0
          ? words.nothing(query)
          : words.found(results.length);
  const list = results === undefined || results === 'failed' ? [] : results;
  return (
    <section aria-label={words.search}>
      <p class="side-heading" role="status">
        {note}
      </p>
      <ul class="conversations" data-testid="results">
        {list.map(({ message, conversation, snippet }) => (
          <li key={message.id}>
            <a
              class="result"
              href={`${addressOf(conversation.id)}#message=${encodeURIComponent(message.id)}`}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                place.open(conversation.id, message.id);
                opened();
              }}
            >
              <span class="result-title" dir="auto">
                {titleOf(known.get(conversation.id) ?? { ...conversation, updated_at: 0 })}
              </span>
              <span class="result-snippet" dir="auto">
                {plain(snippet)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

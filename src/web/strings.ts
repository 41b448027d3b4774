import { readLocal, writeLocal } from './storage.ts';
import { en, type Strings } from './strings/en.ts';

/** Every word the page says, in the language that is spoken here. */
export let strings: Strings = en;

const KEY = 'starwire.language';
export type Language = 'en' | 'de';

/** What was chosen by hand, else the first of the reader's languages that there is. */
function wanted(): Language {
  const chosen = readLocal(KEY);
  const languages = chosen === undefined ? navigator.languages : [chosen];
  const known = languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'de' || tag === 'en');
  return known === 'de' ? 'de' : 'en';
}

/** To be called before anything is rendered. Other languages than English are fetched. */
export async function speak(language: Language = wanted()): Promise<void> {
  if (language !== 'de') return;
  try {
    strings = (await import('./strings/de.ts')).de;
  } catch {
    // The network is away: English is here.
  }
}

/** Changes the language; the page is loaded anew, and what was begun is kept. */
export function switchLanguage(): void {
  writeLocal(KEY, strings.lang === 'de' ? 'en' : 'de');
  location.reload();
}

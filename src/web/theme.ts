import { effect, signal } from '@preact/signals';
import { writeLocal } from './storage.ts';

type Theme = 'light' | 'dark';

const KEY = 'starwire.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** What was chosen by hand; undefined follows the system. `theme.js` has applied it before the first paint. */
const chosen = signal<Theme | undefined>(read());
const systemDark = signal(system.matches);
system.addEventListener('change', ({ matches }) => {
  systemDark.value = matches;
});

function read(): Theme | undefined {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}

export function isDark(): boolean {
  return chosen.value ? chosen.value === 'dark' : systemDark.value;
}

/** Switches to the other theme; back on the system's own, the choice is forgotten and the system followed again. */
export function toggleTheme(): void {
  const next = isDark() ? 'light' : 'dark';
  chosen.value = (next === 'dark') === systemDark.value ? undefined : next;
}

effect(() => {
  const { value } = chosen;
  writeLocal(KEY, value);
  if (value) document.documentElement.dataset['theme'] = value;
  else delete document.documentElement.dataset['theme'];
});

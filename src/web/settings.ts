import { signal } from '@preact/signals';
import { home } from './home.ts';

/** What the server tells everybody about itself (`/settings.json`). */
export interface Settings {
  /** The built-in demo answers: its words may be offered. */
  demo: boolean;
  /** Anybody may sign in by a name: a machine for development. */
  development: boolean;
}

export const settings = signal<Settings | undefined>(undefined);

export async function readSettings(): Promise<void> {
  const response = await fetch(new URL('/settings.json', home.origin)).catch(() => undefined);
  const body: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
  if (typeof body !== 'object' || body === null) return;
  settings.value = {
    demo: 'demo' in body && body.demo === true,
    development: 'development' in body && body.development === true,
  };
}

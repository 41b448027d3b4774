/** What this browser keeps. Where storage is forbidden or full, what is kept lasts as long as the page. */
export function readLocal(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function writeLocal(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // See above.
  }
}

/** An object whose values pass `check`; empty where nothing of the kind is kept. */
export function readRecord<T>(key: string, check: (value: unknown) => value is T): Record<string, T> {
  try {
    const parsed: unknown = JSON.parse(readLocal(key) ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, T] => check(entry[1])),
    );
  } catch {
    return {};
  }
}

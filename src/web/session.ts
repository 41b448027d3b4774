import { signal } from '@preact/signals';
import { expiryMs, type TokenReason } from '../client/index.ts';
import { strings } from './strings.ts';
import { subjectOf } from './subject.ts';

/**
 * Who is signed in. A tab keeps its token in `sessionStorage`, so that two tabs can be two people; the last one is in
 * `localStorage` as well, for the next tab. Tokens come from the development sign-in, or from a site that hands one
 * over as `#token=`.
 */
export interface Session {
  token: string;
  /** Set for the development sign-in, which can renew the token by it. */
  name?: string;
}

export type SignInProblem = 'unavailable' | 'unreachable' | 'refused';

const KEY = 'starwire.session';

export const session = signal<Session | undefined>(undefined);
/** Counts sign-ins; renewing a token is none. */
export const signIns = signal(0);
/** The last session ended by itself. */
export const ended = signal(false);

function readStored(storage: () => Storage): Session | undefined {
  try {
    const parsed: unknown = JSON.parse(storage().getItem(KEY) ?? 'null');
    if (
      typeof parsed !== 'object' ||
      parsed === null ||
      !('token' in parsed) ||
      typeof parsed.token !== 'string'
    ) {
      return undefined;
    }
    const name = 'name' in parsed && typeof parsed.name === 'string' ? parsed.name : undefined;
    // One that has ended is of use only where it can be renewed.
    if (name === undefined && (expiryMs(parsed.token) ?? Number.POSITIVE_INFINITY) < Date.now())
      return undefined;
    return { token: parsed.token, ...(name === undefined ? {} : { name }) };
  } catch {
    return undefined;
  }
}

function keep(next: Session | undefined): void {
  for (const storage of [() => sessionStorage, () => localStorage]) {
    try {
      if (next) storage().setItem(KEY, JSON.stringify(next));
      else storage().removeItem(KEY);
    } catch {
      // Storage is forbidden: the session lasts as long as the page.
    }
  }
}

/** Takes a token out of the address, where it must not stay: addresses are shared and remembered. */
function fromAddress(): Session | undefined {
  const params = new URLSearchParams(location.hash.slice(1));
  const token = params.get('token');
  if (!token) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return { token };
}

function take(next: Session): void {
  const known = session.peek();
  keep(next);
  ended.value = false;
  session.value = next;
  // A new token for the same person: their chat goes on as it is.
  if (!known || subjectOf(known.token) !== subjectOf(next.token)) signIns.value += 1;
}

/**
 * Takes a session that the address hands over. Anybody can make such an address: where somebody else is signed in, they are
 * asked first, lest they go on writing under a name that is not theirs.
 */
function takeHanded(): void {
  const handed = fromAddress();
  if (!handed) return;
  const now = session.peek();
  const whose = subjectOf(handed.token);
  if (now && subjectOf(now.token) !== whose && !window.confirm(strings.signIn.other(whose))) return;
  take(handed);
}

/** Finds out who is signed in, now and when a token is handed over later. */
export function restoreSession(): void {
  session.value = readStored(() => sessionStorage) ?? readStored(() => localStorage);
  takeHanded();
  window.addEventListener('hashchange', takeHanded);
  window.addEventListener('storage', ({ key }) => {
    // A session that has ended here goes on when another tab has been given a new token.
    const now = session.peek();
    if (key === KEY && now) fromOtherTab(now);
  });
}

/** The id that a name stands for: the same name is the same user, however it is written. */
export function userIdOf(name: string): string {
  return name
    .normalize('NFKC')
    .trim()
    .toLocaleLowerCase('en')
    .replace(/[\p{C}\s]+/gu, '-')
    .slice(0, 64);
}

async function developmentToken(name: string): Promise<string | SignInProblem> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: userIdOf(name), name: name.trim() }),
  }).catch(() => undefined);
  if (!response) return 'unreachable';
  if (response.status === 404) return 'unavailable';
  if (response.status >= 500) return 'unreachable';
  const body: unknown = await response.json().catch(() => undefined);
  const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  return response.ok && typeof token === 'string' ? token : 'refused';
}

const PROBLEMS: ReadonlySet<string> = new Set<SignInProblem>(['unavailable', 'unreachable', 'refused']);

function isProblem(answer: string): answer is SignInProblem {
  return PROBLEMS.has(answer);
}

/** Signs in by name. Returns what is wrong, or nothing. */
export async function signIn(name: string): Promise<SignInProblem | undefined> {
  const answer = await developmentToken(name);
  if (isProblem(answer)) return answer;
  take({ token: answer, name });
  return undefined;
}

/** Whether this is a machine for development, where anybody may sign in by a name. */
export function isDevelopment(): boolean {
  return session.value?.name !== undefined;
}

export function signOut(): void {
  keep(undefined);
  session.value = undefined;
}

/** The session cannot go on; the next sign-in says so. */
export function endSession(): void {
  signOut();
  ended.value = true;
}

/** Another tab of the same person may have been given a token that lasts longer. */
function fromOtherTab(now: Session): string | undefined {
  const other = readStored(() => localStorage);
  if (!other || other.token === now.token || subjectOf(other.token) !== subjectOf(now.token))
    return undefined;
  if ((expiryMs(other.token) ?? 0) <= (expiryMs(now.token) ?? 0)) return undefined;
  session.value = other;
  return other.token;
}

/** The client's token source: what is there, or a new one where the development sign-in can make it. */
export async function provideToken(reason: TokenReason): Promise<string | undefined> {
  const now = session.peek();
  if (!now) return undefined;
  if (reason === 'start' && (expiryMs(now.token) ?? Number.POSITIVE_INFINITY) > Date.now()) return now.token;
  const newer = fromOtherTab(now);
  if (newer) return newer;
  if (now.name === undefined) return undefined;
  const answer = await developmentToken(now.name);
  if (answer === 'unreachable') throw new Error('the sign-in cannot be reached');
  if (isProblem(answer)) return undefined;
  const next = { ...now, token: answer };
  keep(next);
  session.value = next;
  return answer;
}

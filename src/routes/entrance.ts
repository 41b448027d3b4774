import { StarwireError } from '../protocol/errors.ts';
import { hubName, type Owner } from '../protocol/identity.ts';
import { type Ctx, hubOf, use } from './app.ts';
import type { RelayTarget } from './relay.ts';

/** How long a connection may wait for its turn: an object that is woken now sleeps again within this time. */
const PATIENCE_MS = 15_000;

/** The first pause before another try, and the last; each is twice the one before, give or take a half. */
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 8_000;

/** How SQLite says that the process may open no more files; where the object could not even be made, workerd says it like this. */
const SHORT = /SQLITE_CANTOPEN|unable to open database file|^internal error/;

/** The user's hub, for a new connection: it waits its turn where one machine cannot take all at once (`OpenFiles`). */
export function entranceOf(c: Ctx, who: Owner): RelayTarget {
  return { fetch: (url, init) => enter(c, who, url, init) };
}

/** Throws 503 with `Retry-After` where it is not this connection's turn in time. */
async function enter(c: Ctx, who: Owner, url: string, init: RequestInit): Promise<Response> {
  const { openFiles } = use(c);
  if (!openFiles.limited) return hubOf(c, who).fetch(url, init);
  const wait_ms = openFiles.enter(hubName(who.tenant, who.user), Date.now(), PATIENCE_MS);
  if (wait_ms === undefined) throw crowded();
  try {
    if (wait_ms > 0) await pause(wait_ms);
    return await tried(() => hubOf(c, who).fetch(url, init));
  } finally {
    openFiles.entered();
  }
}

/** An object that could not open its files has changed nothing: it is asked again, by a new stub, since the old one stays broken. */
async function tried(attach: () => Promise<Response>): Promise<Response> {
  for (let pause_ms = FIRST_PAUSE_MS; ; pause_ms *= 2) {
    try {
      return await attach();
    } catch (error) {
      if (!(error instanceof Error) || !SHORT.test(error.message)) throw error;
      if (pause_ms > LAST_PAUSE_MS) throw crowded();
    }
    await pause(pause_ms * (0.5 + Math.random()));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function crowded(): StarwireError {
  return new StarwireError('internal', 'too many clients connect at once; try again', {
    retry_after: Math.ceil(PATIENCE_MS / 1_000),
  });
}

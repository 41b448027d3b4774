/**
 * Lets the page open without a network. The shell is asked for anew each time and comes from the cache where the
 * network does not answer; files with hashed names come from the cache first. Nothing of a conversation is kept.
 */

/** Filled in by the build: every file of the page. */
const FILES = __FILES__;
/** The answers vary by origin, and all requests here are of one. */
const ANYHOW = { ignoreVary: true };
/** Changes with any of them. */
const CACHE = 'starwire-__VERSION__';

self.addEventListener('install', (event) => {
  event.waitUntil(keepAll().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    if (isShell(url.pathname)) event.respondWith(shell(request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(url.pathname.startsWith('/assets/') ? kept(request) : newest(request));
  }
});

function isShell(path) {
  return path === '/' || path === '/new' || path.startsWith('/c/');
}

async function keepAll() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

async function shell(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match('/', ANYHOW)) ?? Response.error();
  }
}

async function kept(request) {
  return (await caches.match(request, ANYHOW)) ?? fetch(request);
}

async function newest(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request, ANYHOW)) ?? Response.error();
  }
}

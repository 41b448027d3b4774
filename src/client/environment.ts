/**
 * What the client needs of the world around it, in small pieces that a test can replace. The defaults work in
 * browsers and in Node ≥ 22.
 */

/** Undoes what it came from; doing so twice is harmless. */
export type Undo = () => void;

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  after(ms: number, run: () => void): Undo;
}

/** The longest delay that timers take; a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** What a transport reports. After `closed` it reports nothing more. */
export interface TransportEvents {
  text(data: string): void;
  closed(code: number): void;
}

/** One connection; sending on a dead one is silent, because `closed` tells. */
export interface Transport {
  send(text: string): void;
  close(): void;
}

export type OpenTransport = (url: string, protocols: string[], events: TransportEvents) => Transport;

/** The parts of a WebSocket class that are used; the browser's, Node's and `ws` all have them. */
export type WebSocketClass = new (
  url: string,
  protocols: string[],
) => Pick<WebSocket, 'addEventListener' | 'send' | 'close' | 'readyState'>;

const OPEN = 1;

/** @example `new StarwireClient({ url, token, open: webSockets(WebSocket) })` */
export function webSockets(Socket: WebSocketClass = WebSocket): OpenTransport {
  return (url, protocols, events) => {
    const socket = new Socket(url, protocols);
    let over = false;
    const end = (code: number): void => {
      if (over) return;
      over = true;
      events.closed(code);
    };
    socket.addEventListener('message', ({ data }) => {
      if (!over && typeof data === 'string') events.text(data);
    });
    socket.addEventListener('close', ({ code }) => end(code));
    // An error is always followed by `close`; without a listener Node would report it as unhandled.
    socket.addEventListener('error', () => undefined);
    return {
      send(text) {
        if (socket.readyState === OPEN) socket.send(text);
      },
      close() {
        // The close handshake of a dead peer takes a minute; whoever closes does not wait for it.
        over = true;
        socket.close(1000);
      },
    };
  };
}

/** Whether it is worth trying: what the browser knows of the network and of the page being looked at. */
export interface Surroundings {
  online(): boolean;
  /** Calls `back` when the network or the reader returns, `gone` when the network goes. Returns how to stop. */
  watch(changes: { back(): void; gone(): void }): Undo;
}

/** The browser's own; where there is no `window` (Node, workers), always online. */
export function pageSurroundings(): Surroundings {
  if (typeof window === 'undefined') return { online: () => true, watch: () => () => undefined };
  return {
    online: () => navigator.onLine,
    watch({ back, gone }) {
      const controller = new AbortController();
      const { signal } = controller;
      window.addEventListener('online', back, { signal });
      window.addEventListener('offline', gone, { signal });
      // Pages that come out of the back/forward cache have lost their sockets without a close event.
      window.addEventListener('pageshow', back, { signal });
      document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && back(), {
        signal,
      });
      return () => controller.abort();
    },
  };
}

import { signal } from '@preact/signals';
import type { OpenTransport } from '../client/index.ts';

/** One text that went over the socket, or what became of the socket. */
export interface WireLine {
  key: number;
  /** Unix ms. */
  at: number;
  way: 'down' | 'up' | 'note';
  text: string;
}

const KEPT = 400;
/** How a connection ends that nobody closed. */
const ABNORMAL = 1006;

/** Stands between the client and its sockets, for those who want to watch. Keeps nothing until somebody does. */
export class Wire {
  readonly lines = signal<readonly WireLine[]>([]);
  readonly open: OpenTransport;
  #watchers = 0;
  #count = 0;
  #kill: (() => void) | undefined;

  constructor(open: OpenTransport) {
    this.open = (url, protocols, events) => {
      this.#note('note', `open ${new URL(url).pathname}${new URL(url).search}`);
      const transport = open(url, protocols, {
        text: (data) => {
          this.#note('down', data);
          events.text(data);
        },
        closed: (code) => {
          this.#note('note', `closed ${code}`);
          events.closed(code);
        },
      });
      this.#kill = () => {
        transport.close();
        this.#note('note', 'killed');
        events.closed(ABNORMAL);
      };
      return {
        send: (text) => {
          this.#note('up', text);
          transport.send(text);
        },
        close: () => transport.close(),
      };
    };
  }

  /** Begins to keep lines. Returns how to stop. */
  watch(): () => void {
    this.#watchers += 1;
    return () => {
      this.#watchers -= 1;
    };
  }

  /** Ends the connection as a cut cable would. */
  kill(): void {
    this.#kill?.();
    this.#kill = undefined;
  }

  #note(way: WireLine['way'], text: string): void {
    if (this.#watchers === 0) return;
    this.#count += 1;
    const line = { key: this.#count, at: Date.now(), way, text };
    this.lines.value = [...this.lines.peek().slice(1 - KEPT), line];
  }
}

/** Pieces that texts are made of: what JSON, UTF-8 and UTF-16 make special is among them. */
const WORDS = [
  'star',
  'wire',
  'naïve',
  '東京',
  '😀',
  '👩🏽‍🚀',
  '"',
  '\\',
  '\n',
  '**',
  '𝄞',
  'ok',
  '\u2028',
  '…',
];

/** Seeded choices (mulberry32): the same seed gives the same choices, whatever the machine does meanwhile. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** From `STARWIRE_SEED`, or anew; printed, so that a failure can be run again. */
  static fromEnvironment(what: string): Random {
    const given = process.env['STARWIRE_SEED'];
    const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
    console.log(`${what}: STARWIRE_SEED=${seed}`);
    return new Random(seed);
  }

  /** A source of its own for one actor: what the others draw does not change it. */
  fork(name: string): Random {
    let hash = this.seed ^ 0x811c9dc5;
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    return new Random(hash >>> 0);
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<const T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] ?? list[0];
  }

  /** A name that nothing else has. */
  id(prefix: string): string {
    return `${prefix}_${this.between(0, 2 ** 32).toString(36)}${this.between(0, 2 ** 32).toString(36)}`;
  }

  text(words: number): string {
    return Array.from({ length: words }, () => WORDS[this.between(0, WORDS.length - 1)]).join(' ');
  }

  /** Cuts a text anywhere, through surrogate pairs too. */
  cut(text: string, longest: number): string[] {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += pieces.at(-1)?.length ?? 0)
      pieces.push(text.slice(at, at + this.between(1, longest)));
    return pieces;
  }
}

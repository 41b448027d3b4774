import type { Token } from 'marked';

/** A top-level piece of Markdown. The same object as long as its text is the same: what shows it need not look. */
export interface Block {
  raw: string;
  token: Token;
}

/** Splits Markdown into top-level tokens whose `raw` texts add up to the input. */
export type Lex = (text: string) => Token[];

/**
 * Follows a growing Markdown text block by block. Only the last block can still change, so each call lexes from its
 * beginning: the cost of a chunk is that of the block it falls into, however long the text before it.
 */
export class BlockStream {
  readonly #lex: Lex;
  #blocks: readonly Block[] = [];
  /** The text before the last block, and how many blocks it has. */
  #settled = '';
  #count = 0;

  constructor(lex: Lex) {
    this.#lex = lex;
  }

  /** The blocks of `text`. `done`: nothing more will come, so that the whole is read once as a whole. */
  update(text: string, done: boolean): readonly Block[] {
    const source = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    if (done || !source.startsWith(this.#settled)) {
      this.#settled = '';
      this.#count = 0;
    }
    const tokens = this.#lex(source.slice(this.#settled.length)).filter(({ raw }) => raw !== '');
    const fresh = tokens.map((token, index) => this.#block(token, this.#count + index));
    this.#blocks = [...this.#blocks.slice(0, this.#count), ...fresh];
    this.#settle(source);
    return this.#blocks;
  }

  /** Keeps the known object where its text is the same and reads the same: links defined elsewhere may not. */
  #block(token: Token, index: number): Block {
    const known = this.#blocks[index];
    const same = known && known.raw === token.raw && known.token.type === token.type && !mayRefer(token);
    return same ? known : { raw: token.raw, token };
  }

  #settle(source: string): void {
    const last = this.#blocks.findLastIndex(({ token }) => token.type !== 'space');
    if (last <= this.#count) return;
    const length = (blocks: readonly Block[]): number => blocks.reduce((sum, { raw }) => sum + raw.length, 0);
    const settled = this.#settled.length + length(this.#blocks.slice(this.#count, last));
    // A lexer that drops characters would shift every offset: then nothing more is settled.
    if (settled + length(this.#blocks.slice(last)) !== source.length) return;
    this.#settled = source.slice(0, settled);
    this.#count = last;
  }
}

/** Whether a block has brackets that a link definition elsewhere in the text may turn into a link. */
function mayRefer({ raw, type }: Token): boolean {
  return type !== 'code' && /\][^(]|\]$/.test(raw);
}

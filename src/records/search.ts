import type { PlacedRow } from '../channel/history.ts';
import type { Owner } from '../protocol/identity.ts';
import { clip, wellFormed } from '../protocol/text.ts';
import { placedRow } from './messages.ts';
import { ofTenant } from './scope.ts';

/** Words of a query beyond these are not looked for. */
const TERMS = 10;
const TERM_CHARS = 100;

/** Shorter words have no trigram: they are looked for by `LIKE`. */
const TRIGRAM = 3;

/** The words of a query: any text is one. */
export function termsOf(query: string): string[] {
  return wellFormed(query)
    .split(/[\s\p{Cc}]+/u)
    .filter((term) => term !== '')
    .slice(0, TERMS)
    .map((term) => clip(term, TERM_CHARS));
}

/** Full-text search over the messages of one user. */
export class Search {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Rows that have all of `terms`, at positions below `before`, newest first. */
  async find(
    { tenant, user }: Owner,
    terms: readonly string[],
    before: number,
    limit: number,
  ): Promise<PlacedRow[]> {
    if (terms.length === 0) return [];
    const long = terms.filter((term) => [...term].length >= TRIGRAM);
    const short = terms.filter((term) => !long.includes(term));
    const values: unknown[] = [user, before, limit];
    const bind = (value: string): string => `?${values.push(value) + 1}`;
    const number = '(SELECT number FROM users WHERE tenant = ?1 AND user = ?2)';
    const likes = short.map((term) => {
      // LIKE knows the two cases of ASCII only.
      const forms = new Set(
        /^\p{ASCII}*$/u.test(term) ? [term] : [term, term.toLowerCase(), term.toUpperCase()],
      );
      return `AND (${[...forms].map((form) => `m.text LIKE ${bind(`%${escaped(form)}%`)} ESCAPE '\\'`).join(' OR ')})`;
    });
    const match =
      long.length === 0
        ? undefined
        : bind(long.map((term) => `"${term.replaceAll('"', '""')}"`).join(' AND '));
    const place = match === undefined ? 'm.place' : 's.rowid';
    // The user's rows are one range of places, of which both indexes read only the newest; `+` keeps a third one out.
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT m.position, m.text, m.row
         FROM ${match === undefined ? 'messages AS m' : 'messages_search AS s JOIN messages AS m ON m.place = s.rowid'}
         WHERE ${match === undefined ? '' : `messages_search MATCH ${match} AND`}
           ${place} > (${number} << 32) AND ${place} < (${number} << 32 | ?3)
           AND +m.tenant = ?1 AND +m.user = ?2 ${likes.join(' ')}
         ORDER BY ${place} DESC LIMIT ?4`,
        ...values,
      )
      .all<{ position: number; text: string; row: string }>();
    return results.map(placedRow);
  }
}

function escaped(term: string): string {
  return term.replaceAll(/[\\%_]/g, '\\$&');
}

const BEFORE_CHARS = 60;
const SNIPPET_CHARS = 180;

/** The part of a text around the first of the terms that is found in it, on one line. */
export function snippetOf(text: string, terms: readonly string[]): string {
  const lower = text.toLowerCase();
  // Where folding changes lengths, places in the one are not places in the other.
  const folded = lower.length === text.length ? lower : text;
  const found = terms.map((term) => folded.indexOf(term.toLowerCase())).filter((at) => at >= 0);
  let from = Math.max(0, (found.length === 0 ? 0 : Math.min(...found)) - BEFORE_CHARS);
  const space = from === 0 ? -1 : text.indexOf(' ', from);
  if (space >= 0 && space < from + BEFORE_CHARS / 2) from = space + 1;
  const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
  if (isLow(text.charCodeAt(from))) from += 1;
  const part = clip(text.slice(from), SNIPPET_CHARS);
  const line = part.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return `${from > 0 ? '…' : ''}${line}${from + part.length < text.length ? '…' : ''}`;
}

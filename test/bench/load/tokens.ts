/** Characters of a token: what one is on average. */
export const TOKEN_CHARS = 4;

/** The nth token of a reply: all are of one length and none is like another, so that a text tells exactly what it lacks. */
export const token = (n: number): string =>
  n
    .toString(36)
    .padStart(TOKEN_CHARS - 1, '0')
    .padStart(TOKEN_CHARS, ' ');

export const tokens = (count: number): string[] => Array.from({ length: count }, (_, n) => token(n));

/** Throws where a text is not exactly so many tokens. */
export function checkText(text: string, count: number, whose: string): void {
  const wanted = tokens(count).join('');
  if (text === wanted) return;
  let same = 0;
  while (same < wanted.length && text[same] === wanted[same]) same += 1;
  throw new Error(
    `${whose} got ${text.length} characters instead of ${wanted.length}; they differ at ${same}: ${text.slice(same, same + 40)}`,
  );
}

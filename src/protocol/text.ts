/** Text as the wire counts it: UTF-16 code units, always well-formed (P-WS-6). */

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** True if `text` ends in the first half of a surrogate pair. */
export function endsInHighSurrogate(text: string): boolean {
  return text.length > 0 && isHigh(text.charCodeAt(text.length - 1));
}

/** Replaces lone surrogates by U+FFFD: they would change length in SQLite and break UTF-8. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** The longest well-formed beginning of `text` with at most `length` code units. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = text.slice(0, length);
  return endsInHighSurrogate(head) ? head.slice(0, -1) : head;
}

/** A text in pieces of at most `length` code units that cut no surrogate pair. */
export function wellCut(text: string, length: number): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = at + length;
    if (end < text.length && endsInHighSurrogate(text.slice(at, end))) end -= 1;
    cut.push(text.slice(at, end));
    at = end;
  }
  return cut;
}

const encoder = new TextEncoder();

/** Bytes of `text` in UTF-8. Short texts are decided without encoding where only a bound matters. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength;
}

/** Whether `text` takes more than `limit` bytes of UTF-8; a code unit takes one to three. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8Bytes(text) > limit;
}

/** Standard Webhooks (P-UP-1), on WebCrypto: HMAC-SHA256 over `id.timestamp.body`. */

/** What signatures are checked against. */
export interface Verification {
  /** Each as base64, with or without `whsec_`, or as plain text; two while they rotate. */
  secrets: readonly string[];
  /** How far the sender's clock may be off, in seconds. */
  tolerance_s?: number;
  /** Unix milliseconds. */
  now?: number;
}

const TOLERANCE_S = 300;

/** Why a delivery is not Starwire's; undefined where it is. */
export async function distrust(
  headers: Headers,
  body: string,
  { secrets, tolerance_s = TOLERANCE_S, now = Date.now() }: Verification,
): Promise<string | undefined> {
  const id = headers.get('webhook-id');
  const timestamp = headers.get('webhook-timestamp');
  const signature = headers.get('webhook-signature');
  if (!id || !timestamp || !signature) return 'it is not signed';
  if (!/^\d{1,12}$/.test(timestamp)) return 'its timestamp is no number';
  if (Math.abs(now / 1000 - Number(timestamp)) > tolerance_s) return 'its timestamp is too far from now';
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const given = signature.split(' ').flatMap((one) => (one.startsWith('v1,') ? bytesOf(one.slice(3)) : []));
  for (const secret of secrets) {
    const key = await keyOf(secret);
    // `verify` takes the same time whatever it is given.
    for (const one of given) if (await crypto.subtle.verify('HMAC', key, one, signed)) return undefined;
  }
  return 'its signature is wrong';
}

const BASE64 = /^(?:whsec_)?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;

function keyOf(secret: string) {
  const encoded = BASE64.exec(secret)?.[1];
  const [bytes = new TextEncoder().encode(secret)] = encoded === undefined ? [] : bytesOf(encoded);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function bytesOf(encoded: string): Uint8Array<ArrayBuffer>[] {
  try {
    return [Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))];
  } catch {
    return [];
  }
}

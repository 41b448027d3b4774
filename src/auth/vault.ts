import { StarwireError } from '../protocol/errors.ts';

/** Bytes of a GCM nonce: random for each sealing, in front of what it sealed. */
const NONCE_BYTES = 12;

/**
 * Secrets at rest: AES-256-GCM under `ENCRYPTION_KEY`. The first key seals, every key of the list opens. A secret is bound to
 * its place: where it was copied elsewhere, as into another tenant's row, it does not open.
 */
export class Vault {
  readonly #keys: readonly Uint8Array<ArrayBuffer>[];
  #imported: Promise<CryptoKey[]> | undefined;

  constructor(keys: readonly Uint8Array<ArrayBuffer>[]) {
    this.#keys = keys;
  }

  async #import(): Promise<CryptoKey[]> {
    this.#imported ??= Promise.all(
      this.#keys.map((key) => crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])),
    );
    return this.#imported;
  }

  /** As base64url. Throws `upstream_not_configured` where there is no key. */
  async seal(secret: string, place: readonly string[]): Promise<string> {
    const [key] = await this.#import();
    if (!key)
      throw new StarwireError(
        'upstream_not_configured',
        'ENCRYPTION_KEY is missing: no secret can be stored',
      );
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(paramsOf(iv, place), key, new TextEncoder().encode(secret));
    return Buffer.concat([iv, new Uint8Array(sealed)]).toString('base64url');
  }

  /** Throws `upstream_not_configured` where no key opens it: it was sealed under another one, or for another place. */
  async open(sealed: string, place: readonly string[]): Promise<string> {
    const bytes = new Uint8Array(Buffer.from(sealed, 'base64url'));
    const params = paramsOf(bytes.subarray(0, NONCE_BYTES), place);
    for (const key of await this.#import()) {
      try {
        const secret = await crypto.subtle.decrypt(params, key, bytes.subarray(NONCE_BYTES));
        return new TextDecoder().decode(secret);
      } catch {
        // Sealed under another key of the list, perhaps.
      }
    }
    throw new StarwireError(
      'upstream_not_configured',
      `ENCRYPTION_KEY does not open the stored ${place.at(-1)}: give it again`,
    );
  }
}

function paramsOf(iv: Uint8Array<ArrayBuffer>, place: readonly string[]) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(JSON.stringify(place)) };
}

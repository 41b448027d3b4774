import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Epochs } from '../channel/journal.ts';
import type { IdKind, ProvenKind } from '../protocol/ids.ts';

/** Bytes of randomness in an id, and of the proof that we made it. */
const RANDOM_BYTES = 12;
const PROOF_BYTES = 6;
const ID = /^[a-z]+_([A-Za-z0-9_-]{16})([A-Za-z0-9_-]{8})$/;

/** Proofs under the deployment's secret: one key per purpose, so that a proof of one thing is none of another. */
export class Seal {
  readonly #secret: string;
  /** By purpose: there is a handful of them. */
  readonly #keys = new Map<string, Buffer>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  #mac(purpose: string, text: string): Buffer {
    return createHmac('sha256', this.#key(purpose)).update(text).digest();
  }

  #key(purpose: string): Buffer {
    const known = this.#keys.get(purpose);
    if (known) return known;
    const key = createHmac('sha256', this.#secret).update(`starwire ${purpose}`).digest();
    this.#keys.set(purpose, key);
    return key;
  }

  #proof(kind: ProvenKind, body: string): string {
    return this.#mac(`id ${kind}`, body).subarray(0, PROOF_BYTES).toString('base64url');
  }

  /** An unguessable id; of a kind by which something is reached, it proves that this deployment made it. */
  newId = (kind: IdKind): string => {
    const body = randomBytes(RANDOM_BYTES).toString('base64url');
    return `${kind}_${body}${isProven(kind) ? this.#proof(kind, body) : ''}`;
  };

  /** The same id for the same words, as unguessable as a random one. */
  idFor(kind: ProvenKind, words: readonly string[]): string {
    const body = this.#mac(`words ${kind}`, JSON.stringify(words))
      .subarray(0, RANDOM_BYTES)
      .toString('base64url');
    return `${kind}_${body}${this.#proof(kind, body)}`;
  }

  /** Whether we made this id: a guessed one touches no object. */
  isOurs(kind: ProvenKind, id: string): boolean {
    const match = ID.exec(id);
    if (!match?.[1] || !match[2] || !id.startsWith(`${kind}_`)) return false;
    return sameText(match[2], this.#proof(kind, match[1]));
  }

  /** Epochs of one channel (see Journal). */
  epochs(channel: string): Epochs {
    const proof = (body: string) =>
      this.#mac('epoch', `${body} ${channel}`).subarray(0, 3).toString('base64url');
    return {
      make: () => {
        const body = randomBytes(6).toString('base64url');
        return body + proof(body);
      },
      genuine: (epoch) => epoch.length === 12 && sameText(epoch.slice(8), proof(epoch.slice(0, 8))),
    };
  }

  /** `exp` (Unix seconds) and `sig` of a file's url. */
  signFile(id: string, exp: number): string {
    return this.#mac('file', `${id} ${exp}`).subarray(0, 16).toString('base64url');
  }
}

const PROVEN = new Set<IdKind>(['turn', 'req', 'file'] satisfies ProvenKind[]);

function isProven(kind: IdKind): kind is ProvenKind {
  return PROVEN.has(kind);
}

/** Compares in constant time. */
export function sameText(one: string, other: string): boolean {
  const a = Buffer.from(one);
  const b = Buffer.from(other);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

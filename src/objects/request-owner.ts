import { StarwireError } from '../protocol/errors.ts';
import type { Owner } from './request-types.ts';

const OWNER = 'owner';

/** Whose request or turn an object is, as it is stored there; with nobody's, the object does not exist. */
export class RequestOwner {
  readonly #kv: SyncKvStorage;
  #known: Owner | undefined;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** Read once in a life of the object: every message asks for it. */
  get current(): Owner | undefined {
    this.#known ??= this.#kv.get<Owner>(OWNER);
    return this.#known;
  }

  /** Throws `not_found`. */
  get required(): Owner {
    const owner = this.current;
    if (!owner) throw new StarwireError('not_found', 'there is no such stream');
    return owner;
  }

  set(owner: Owner): void {
    this.#kv.put<Owner>(OWNER, owner);
    this.#known = owner;
  }

  /** The storage was deleted. */
  gone(): void {
    this.#known = undefined;
  }
}

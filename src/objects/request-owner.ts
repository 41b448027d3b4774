import { StarwireError } from '../protocol/errors.ts';
import type { Owner } from './request-types.ts';

const OWNER = 'owner';

/** Whose request or turn an object is, as it is stored there; with nobody's, the object does not exist. */
export class RequestOwner {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  get current(): Owner | undefined {
    return this.#kv.get<Owner>(OWNER);
  }

  /** Throws `not_found`. */
  get required(): Owner {
    const owner = this.current;
    if (!owner) throw new StarwireError('not_found', 'there is no such stream');
    return owner;
  }

  set(owner: Owner): void {
    this.#kv.put<Owner>(OWNER, owner);
  }
}

import type { Seal } from '../auth/seal.ts';
import type { KnownFiles } from '../channel/sends.ts';
import type { Config } from '../config.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Owner } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { log } from '../protocol/log.ts';
import type { AttachmentView } from '../protocol/server-frames.ts';
import { type FileRow, FileRows } from './file-rows.ts';
import { type ByteSource, storeStream } from './store-stream.ts';

/** What is stored beside a file's bytes. */
export interface FileInfo extends Owner, FileRow {
  /** Of its bytes, quoted as in HTTP. */
  etag: string;
}

/** Files that are deleted at once, and how many such steps one sweep takes. */
const SWEEP_BATCH = 100;
const SWEEP_STEPS = 10;

/** Files: the bytes in R2, what is known of them in D1. Ids are unguessable and ours, so that they can be keys. */
export class Files {
  readonly rows: FileRows;
  readonly #bucket: R2Bucket;
  readonly #seal: Seal;
  readonly #config: Pick<Config, 'limits' | 'public_url'>;

  constructor(bucket: R2Bucket, db: D1Database, seal: Seal, config: Pick<Config, 'limits' | 'public_url'>) {
    this.rows = new FileRows(db, config.limits);
    this.#bucket = bucket;
    this.#seal = seal;
    this.#config = config;
  }

  /**
   * A signed url that expires; the filename is for people, the signature is over the id. `origin` is the address by which a
   * client came: where PUBLIC_URL is set, that one counts.
   */
  url(origin: string, id: string, filename: string): string {
    const { limits, public_url = origin } = this.#config;
    const exp = Math.floor((Date.now() + limits.signed_url_ms) / 1000);
    return `${public_url}/files/${id}/${encodeURIComponent(filename)}?exp=${exp}&sig=${this.#seal.signFile(id, exp)}`;
  }

  /**
   * Stores what a user uploads, as it arrives; whatever fails, nothing of it is left. `size` is what the request says, where it
   * does. Throws `rate_limited` over a quota, and what `source` throws.
   */
  async upload(
    owner: Owner,
    file: Omit<FileRow, 'id' | 'size'>,
    source: ByteSource,
    size: number | undefined,
  ): Promise<FileRow> {
    const id = this.#seal.newId('file');
    const reserved = size ?? this.#config.limits.attachment_bytes;
    const row: FileRow = { ...file, id, size: reserved };
    await this.rows.reserve(owner, row);
    try {
      await storeStream(this.#bucket, key(id), source, size, metadata(owner, row));
      const stored = { ...row, size: source.taken };
      // A row that was swept meanwhile would leave its bytes to nobody.
      if (!(await this.rows.settle(owner, stored, reserved)))
        throw new StarwireError('conflict', 'the files of this user were deleted meanwhile');
      return stored;
    } catch (error) {
      await this.#bucket.delete(key(id));
      await this.rows.release(owner, row, source.taken);
      throw error;
    }
  }

  /** Stores a file of the upstream. Without its row it could not be found if its event is refused; D1 may be down, though. */
  async put(owner: Owner, file: Omit<FileRow, 'size'>, bytes: Uint8Array): Promise<void> {
    const row = { ...file, size: bytes.byteLength };
    try {
      await this.rows.add(owner, row);
    } catch (error) {
      log('warn', 'a file is recorded later', { ...owner, file: file.id, error });
    }
    await this.#bucket.put(key(file.id), bytes, metadata(owner, row));
  }

  /** The bytes, or a part of them; undefined where there is no such file. */
  async get(id: string, range?: { offset: number; length: number }): Promise<R2ObjectBody | undefined> {
    return (await this.#bucket.get(key(id), range ? { range } : {})) ?? undefined;
  }

  /** What is known of a file; undefined where there is none. */
  async info(id: string): Promise<FileInfo | undefined> {
    if (!this.#seal.isOurs('file', id)) return undefined;
    const object = await this.#bucket.head(key(id));
    return object ? infoOf(id, object) : undefined;
  }

  /**
   * The files of a message that are the sender's own, kept for that message from now on; others are as if they did not exist.
   * A message with too many is refused without looking.
   */
  async claim(
    owner: Owner,
    conversation: string = DEFAULT_CONVERSATION,
    wanted: readonly Pick<AttachmentView, 'id'>[] = [],
  ): Promise<KnownFiles> {
    const ids = [...new Set(wanted.map(({ id }) => id))].filter((id) => this.#seal.isOurs('file', id));
    if (ids.length === 0 || wanted.length > this.#config.limits.attachments_per_message) return new Map();
    const own = await this.rows.claim(owner, conversation, ids);
    return new Map(own.map((row) => [row.id, row]));
  }

  /** Deletes the files that only this conversation used, until then (Unix seconds): it may have begun anew. May be repeated. */
  async deleteOfConversation(owner: Owner, conversation: string, until = Date.now() / 1000): Promise<void> {
    await this.rows.doomConversation(owner, conversation, until);
    await this.#sweepAll(owner);
  }

  /** Removes files that were deleted before they were recorded, but for those that a message uses. May be repeated. */
  async dispose(owner: Owner, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.rows.doom(owner, ids);
    await this.#sweepAll(owner);
  }

  /** Deletes all files of a user. May be repeated. */
  async deleteOfUser(owner: Owner): Promise<void> {
    await this.rows.doomUser(owner);
    await this.#sweepAll(owner);
  }

  async #sweepAll(owner: Owner): Promise<void> {
    while ((await this.#sweepSome(owner)) > 0);
  }

  /** Removes files that no message uses and whose time is over, in bounded steps; the next run goes on. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (let step = 0; step < SWEEP_STEPS; step += 1) {
      const some = await this.#sweepSome();
      removed += some;
      if (some < SWEEP_BATCH) break;
    }
    return removed;
  }

  async #sweepSome(owner?: Owner): Promise<number> {
    const doomed = await this.rows.past(SWEEP_BATCH, owner);
    if (doomed.length === 0) return 0;
    await this.#bucket.delete(doomed.map(({ id }) => key(id)));
    await this.rows.forget(doomed);
    return doomed.length;
  }

  /** Removes the bytes of up to 1,000 files that no event carries; their rows are swept in time. */
  async drop(...ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#bucket.delete(ids.map(key));
  }
}

function key(id: string): string {
  return `files/${id}`;
}

/** Metadata travels as headers, 2 KiB in all: names may be in any script. */
function metadata({ tenant, user }: Owner, { filename, mimetype }: FileRow): R2PutOptions {
  return {
    httpMetadata: { contentType: mimetype },
    customMetadata: { tenant, user: encode(user), filename: encode(filename) },
  };
}

function infoOf(id: string, object: R2Object): FileInfo {
  const { tenant = '', user = '', filename = '' } = object.customMetadata ?? {};
  return {
    id,
    tenant,
    user: decode(user),
    filename: decode(filename),
    mimetype: object.httpMetadata?.contentType ?? 'application/octet-stream',
    size: object.size,
    etag: object.httpEtag,
  };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString();
}

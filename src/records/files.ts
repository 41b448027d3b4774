import type { Seal } from '../auth/seal.ts';
import type { KnownFiles } from '../channel/sends.ts';
import type { Identity } from '../protocol/identity.ts';
import type { Limits } from '../protocol/limits.ts';

/** A signed url that expires; the filename is for people, the signature is over the id. */
export function fileUrl(seal: Seal, limits: Limits, origin: string, id: string, filename: string): string {
  const exp = Math.floor((Date.now() + limits.signed_url_ms) / 1000);
  return `${origin}/files/${id}/${encodeURIComponent(filename)}?exp=${exp}&sig=${seal.signFile(id, exp)}`;
}

/** What is stored beside a file's bytes. */
export interface FileInfo {
  id: string;
  tenant: string;
  user: string;
  filename: string;
  mimetype: string;
  size: number;
  /** Of its bytes, quoted as in HTTP. */
  etag: string;
}

/** Files in R2. Ids are unguessable and ours, so that they can be keys. */
export class Files {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(
    { id, tenant, user, filename, mimetype }: Omit<FileInfo, 'size' | 'etag'>,
    bytes: Uint8Array,
  ): Promise<void> {
    await this.#bucket.put(key(id), bytes, {
      httpMetadata: { contentType: mimetype },
      // Metadata travels as headers: names may be in any script.
      customMetadata: { tenant, user: encodeURIComponent(user), filename: encodeURIComponent(filename) },
    });
  }

  /** The bytes, or a part of them; undefined where there is no such file. */
  async get(id: string, range?: { offset: number; length: number }): Promise<R2ObjectBody | undefined> {
    return (await this.#bucket.get(key(id), range ? { range } : {})) ?? undefined;
  }

  /** What is known of a file; undefined where there is none. */
  async info(id: string): Promise<FileInfo | undefined> {
    const object = await this.#bucket.head(key(id));
    return object ? infoOf(id, object) : undefined;
  }

  /** Deletes up to 1,000 files; those that are not there do not matter. */
  async delete(...ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#bucket.delete(ids.map(key));
  }
}

function key(id: string): string {
  return `files/${id}`;
}

function infoOf(id: string, object: R2Object): FileInfo {
  const { tenant = '', user = '', filename = '' } = object.customMetadata ?? {};
  return {
    id,
    tenant,
    user: decodeURIComponent(user),
    filename: decodeURIComponent(filename),
    mimetype: object.httpMetadata?.contentType ?? 'application/octet-stream',
    size: object.size,
    etag: object.httpEtag,
  };
}

/** The files of a message that are the sender's own; others are as if they did not exist. */
export async function knownFiles(
  files: Files,
  seal: Seal,
  who: Identity,
  wanted: readonly { id: string }[],
): Promise<KnownFiles> {
  const ours = [...new Set(wanted.map(({ id }) => id))].filter((id) => seal.isOurs('file', id)).slice(0, 100);
  const infos = await Promise.all(ours.map((id) => files.info(id)));
  const own = infos.filter(
    (info) => info !== undefined && info.tenant === who.tenant && info.user === who.user,
  );
  return new Map(own.flatMap((info) => (info ? [[info.id, view(info)] as const] : [])));
}

function view({ id, filename, mimetype, size }: FileInfo) {
  return { id, filename, mimetype, size };
}

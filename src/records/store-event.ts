import type { Seal } from '../auth/seal.ts';
import type { ChannelEvent } from '../channel/events.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Owner } from '../protocol/identity.ts';
import type { Limits } from '../protocol/limits.ts';
import type { OutboundEvent } from '../protocol/outbound.ts';
import type { Files } from './files.ts';

export interface Store {
  files: Files;
  seal: Seal;
  config: { limits: Limits };
}

/** Puts a file's bytes into R2 before its event is applied; other events pass as they are. Throws `too_large`. */
export async function stored(
  { files, seal, config: { limits } }: Store,
  owner: () => Owner | Promise<Owner>,
  event: OutboundEvent,
): Promise<ChannelEvent> {
  if (event.kind !== 'file') return event;
  const { data, size, ...rest } = event;
  const id = seal.newId('file');
  if (data === undefined) return { ...rest, id, size: size ?? 0 };
  const bytes = decode(data);
  if (bytes.byteLength > limits.attachment_bytes) {
    throw new StarwireError('too_large', `"data" has more than ${limits.attachment_bytes} bytes`, {
      field: 'data',
    });
  }
  const { filename, mimetype } = event;
  await files.put(await owner(), { id, filename, mimetype }, bytes);
  const inline = bytes.byteLength <= limits.inline_file_bytes;
  return { ...rest, id, size: bytes.byteLength, ...(inline ? { data: bytes.toString('base64') } : {}) };
}

function decode(data: string): Buffer {
  if (data.length % 4 === 1)
    throw new StarwireError('bad_request', '"data" is not base64', { field: 'data' });
  return Buffer.from(data, 'base64');
}

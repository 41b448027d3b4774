import type { Delivery } from '../protocol/delivery.ts';
import type { Files } from '../records/files.ts';
import type { DeliveredFile } from '../upstream/upstream.ts';

/**
 * The files of a delivery, for one attempt to deliver it: their urls are signed anew, for the address by which the client came
 * when it sent the message; their bytes are read when they are asked for.
 */
export function attachedFiles(files: Files, { attachments }: Pick<Delivery, 'attachments'>): DeliveredFile[] {
  return attachments.map((attachment) => {
    const { id, filename, url } = attachment;
    return {
      ...attachment,
      url: files.url(new URL(url).origin, id, filename),
      async data() {
        const object = await files.get(id);
        if (!object) throw new Error('the file is gone');
        return object.bytes();
      },
    };
  });
}

import type { AttachmentView, DurableFrame, FileFrame } from '../protocol/server-frames.ts';

/** Where files can be fetched, and the small ones' bytes. */
export interface Links {
  /** A signed url that expires. */
  url(id: string, filename: string): string;
  /** Base64 of a file that is small enough to travel in its frame. */
  data(id: string): string | undefined;
}

/** A stored frame that needs nothing but sending. */
export function isPlain(json: string): boolean {
  return !json.startsWith('{"type":"file"') && !json.includes('"attachments":[');
}

/** Completes a frame for sending: our own files are stored with an empty url and get a signed one each time. */
export function render<F extends DurableFrame>(frame: F, links: Links): F {
  if (frame.type === 'file') return { ...frame, ...fileLinks(frame, links) };
  if (frame.type === 'message' && frame.attachments) {
    const attachments: AttachmentView[] = frame.attachments.map((one) => ({
      ...one,
      url: links.url(one.id, one.filename),
    }));
    return { ...frame, attachments };
  }
  return frame;
}

function fileLinks({ id, filename, url }: FileFrame, links: Links): { url: string; data?: string } {
  if (url !== '') return { url };
  const data = links.data(id);
  return { url: links.url(id, filename), ...(data === undefined ? {} : { data }) };
}

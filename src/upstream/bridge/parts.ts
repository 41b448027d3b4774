import { utf8Bytes } from '../../protocol/text.ts';

/** A part of a message as the API takes it. */
export type ContentPart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } }
  | { type: 'input_audio'; input_audio: { data: string; format: 'wav' | 'mp3' } }
  | { type: 'file'; file: { filename: string; file_data: string } };

/** A file of the message that is to be answered. */
export interface Attachment {
  filename: string;
  mimetype: string;
  /** Bytes. */
  size: number;
  data(): Promise<Uint8Array>;
}

/**
 * Bytes of what a request carries of attachments, as base64 where they are: it is in memory as bytes, as text and in the body,
 * for each turn that an isolate of 128 MB runs at the time.
 */
const CONTENT_BYTES = 8_388_608;
/** Bytes of a text file, which a model reads as tokens. */
const TEXT_BYTES = 262_144;

/**
 * A message with its attachments as the API takes them: its text first, then each file in order. A file that does not fit, or
 * that cannot be read, is told of in its place.
 */
export async function contentOf(
  text: string,
  attachments: readonly Attachment[],
  budget_bytes = CONTENT_BYTES,
): Promise<string | ContentPart[]> {
  if (attachments.length === 0) return text;
  const parts: ContentPart[] = text === '' ? [] : [{ type: 'text', text }];
  let room = budget_bytes;
  for (const attachment of attachments) {
    const limit = isText(attachment.mimetype) ? Math.min(room, TEXT_BYTES) : room;
    const part = await partOf(attachment, limit);
    room -= sizeOf(part);
    parts.push(part);
  }
  return parts;
}

async function partOf(attachment: Attachment, limit: number): Promise<ContentPart> {
  const weight = (bytes: number) => (isText(attachment.mimetype) ? bytes : Math.ceil(bytes / 3) * 4);
  // What is said to be too large is not even read.
  if (weight(attachment.size) > limit) return note(attachment, 'it is too large');
  let bytes: Uint8Array;
  try {
    bytes = await attachment.data();
  } catch {
    return note(attachment, 'it could not be read');
  }
  return weight(bytes.byteLength) > limit ? note(attachment, 'it is too large') : partWith(attachment, bytes);
}

function partWith({ filename, mimetype }: Attachment, bytes: Uint8Array): ContentPart {
  const type = essence(mimetype);
  if (isText(type))
    return textPart(`File ${JSON.stringify(filename)}:\n\n${new TextDecoder().decode(bytes)}`);
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const url = `data:${type};base64,${data}`;
  if (IMAGES.has(type)) return { type: 'image_url', image_url: { url } };
  const format = AUDIO.get(type);
  if (format) return { type: 'input_audio', input_audio: { data, format } };
  return { type: 'file', file: { filename, file_data: url } };
}

/** What models see; other images go as files. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

const AUDIO = new Map<string, 'wav' | 'mp3'>([
  ['audio/wav', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
]);

/** Without its parameters. */
function essence(mimetype: string): string {
  return mimetype.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function isText(mimetype: string): boolean {
  return /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|toml|javascript|x-sh|sql|x-ndjson)$|.*\+(?:json|xml|yaml)$)/.test(
    essence(mimetype),
  );
}

function textPart(text: string): ContentPart {
  return { type: 'text', text };
}

function note({ filename, mimetype, size }: Attachment, why: string): ContentPart {
  return textPart(
    `[The file ${JSON.stringify(filename)} (${mimetype}, ${size} bytes) is not included: ${why}.]`,
  );
}

function sizeOf(part: ContentPart): number {
  switch (part.type) {
    case 'text':
      return utf8Bytes(part.text);
    case 'image_url':
      return part.image_url.url.length;
    case 'input_audio':
      return part.input_audio.data.length;
    case 'file':
      return part.file.file_data.length;
    default:
      return part satisfies never;
  }
}

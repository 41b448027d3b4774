import { expect } from 'vitest';
import type { Person, Reply, World } from './world.ts';

/** What `POST /api/files` answers. */
export interface Uploaded {
  id: string;
  url: string;
  filename: string;
  mimetype: string;
  size: number;
}

export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

export interface Upload {
  body?: Uint8Array | string;
  /** Sent percent-encoded. */
  filename?: string;
  type?: string;
  headers?: Record<string, string>;
}

export function upload<T = Uploaded>(
  world: World,
  person: Pick<Person, 'token'>,
  { body = 'Hello', filename = 'hello.txt', type = 'text/plain', headers = {} }: Upload = {},
): Promise<Reply<T>> {
  return world.as<T>(person, '/api/files', {
    body: typeof body === 'string' ? Buffer.from(body) : body,
    headers: { 'content-type': type, 'x-filename': encodeURIComponent(filename), ...headers },
  });
}

/** An upload that is taken. */
export async function uploaded(
  world: World,
  person: Pick<Person, 'token'>,
  fields: Upload = {},
): Promise<Uploaded> {
  const reply = await upload(world, person, fields);
  expect(reply).toMatchObject({ status: 201, body: { id: expect.stringMatching(/^file_/) } });
  return reply.body;
}

import { type ReadonlySignal, signal } from '@preact/signals';
import type { TokenSource } from '../client/index.ts';
import type { AttachmentView } from '../protocol/server-frames.ts';
import { home } from './home.ts';
import { strings } from './strings.ts';

export interface Upload {
  key: number;
  conversation: string;
  file: File;
  /** 0 to 1. */
  progress: number;
  /** Set once the server has it. */
  view?: AttachmentView;
  /** Why it failed. */
  problem?: string;
}

interface Limits {
  attachments_per_message: number;
  attachment_bytes: number;
}

/** Files on their way to the server, before the message that they belong to. */
export class Uploads {
  readonly #token: TokenSource;
  readonly #all = signal<readonly Upload[]>([]);
  readonly #requests = new Map<number, XMLHttpRequest>();
  #count = 0;

  constructor(token: TokenSource) {
    this.#token = token;
  }

  get all(): ReadonlySignal<readonly Upload[]> {
    return this.#all;
  }

  of(conversation: string): readonly Upload[] {
    return this.#all.value.filter((one) => one.conversation === conversation);
  }

  add(conversation: string, files: Iterable<File>, limits: Limits | undefined): void {
    for (const file of files) {
      this.#count += 1;
      const upload: Upload = { key: this.#count, conversation, file, progress: 0 };
      const problem = this.#refusal(upload, limits);
      this.#all.value = [...this.#all.peek(), { ...upload, ...(problem === undefined ? {} : { problem }) }];
      if (problem === undefined) void this.#send(upload.key, file);
    }
  }

  #refusal({ conversation, file }: Upload, limits: Limits | undefined): string | undefined {
    if (!limits) return undefined;
    const { attachments_per_message: most, attachment_bytes: largest } = limits;
    if (file.size > largest) return strings.attach.tooLarge(Math.floor(largest / 1_048_576));
    const before = this.#all.peek().filter((one) => one.conversation === conversation && !one.problem);
    return before.length >= most ? strings.attach.tooMany(most) : undefined;
  }

  retry({ key, file }: Upload): void {
    this.#change(key, { progress: 0, problem: undefined });
    void this.#send(key, file);
  }

  /** Takes a file back; one that is under way is stopped. */
  remove(key: number): void {
    this.#requests.get(key)?.abort();
    this.#requests.delete(key);
    this.#all.value = this.#all.peek().filter((one) => one.key !== key);
  }

  /** The files of a message that is being sent; they are not held here any more. */
  take(conversation: string): AttachmentView[] {
    const [mine, others] = [this.of(conversation), this.#all.peek()];
    this.#all.value = others.filter((one) => !mine.includes(one));
    return mine.map(({ view }) => view).filter((view) => view !== undefined);
  }

  #change(key: number, change: Partial<Upload>): void {
    this.#all.value = this.#all.peek().map((one) => (one.key === key ? { ...one, ...change } : one));
  }

  async #send(key: number, file: File): Promise<void> {
    try {
      const token = (await this.#token('start')) ?? '';
      const view = await this.#post(key, file, token);
      this.#change(key, { view, progress: 1 });
    } catch (error) {
      this.#change(key, { problem: error instanceof Error ? error.message : strings.attach.failed });
    }
    this.#requests.delete(key);
  }

  /** `fetch` cannot tell how far a body has got. */
  #post(key: number, file: File, token: string): Promise<AttachmentView> {
    return new Promise((resolve, reject) => {
      if (!this.#all.peek().some((one) => one.key === key)) return;
      const request = new XMLHttpRequest();
      this.#requests.set(key, request);
      request.open('POST', new URL('/api/files', home.origin));
      request.setRequestHeader('authorization', `Bearer ${token}`);
      request.setRequestHeader('content-type', file.type || 'application/octet-stream');
      request.setRequestHeader('x-filename', encodeURIComponent(file.name));
      request.upload.onprogress = ({ loaded, total }) =>
        this.#change(key, { progress: loaded / (total || 1) });
      request.onerror = () => reject(new Error(strings.attach.failed));
      request.onload = () => {
        const answer = parse(request.responseText);
        if (request.status === 201 && isView(answer)) resolve(answer);
        else reject(new Error(messageOf(answer) ?? strings.attach.failed));
      };
      request.send(file);
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const has = (value: object, name: string): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;

function isView(value: unknown): value is AttachmentView {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['id', 'url', 'filename', 'mimetype'].every((name) => typeof has(value, name) === 'string');
  return texts && typeof has(value, 'size') === 'number';
}

function messageOf(value: unknown): string | undefined {
  const error = typeof value === 'object' && value !== null ? has(value, 'error') : undefined;
  const message = typeof error === 'object' && error !== null ? has(error, 'message') : undefined;
  return typeof message === 'string' ? message : undefined;
}

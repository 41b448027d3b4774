import { expect } from 'vitest';
import { JsonSocket } from './json-socket.ts';
import { Watched } from './watched.ts';
import type { Person, Reply, World } from './world.ts';

/** A chat page of Bisheng, from the reference alone: what it sends, and what it shows of what comes. */

export interface ChatFrame {
  is_bot: boolean;
  message: unknown;
  type: string;
  category: string;
  message_id: string | null;
  extra: string;
  user_id: string;
  flow_id: string;
  chat_id: string;
  files: { file_name: string; file_url: string }[];
}

/** A row of the page. */
export interface Row {
  category: string;
  text: string;
  id?: string;
  /** It is being written. */
  open?: boolean;
  turn?: string;
  key?: string;
}

/** A row of `/chat/history`. */
export interface HistoryRow {
  id: string;
  is_bot: 0 | 1;
  category: string;
  message: string;
  liked: number;
  copied: number;
  remark: string;
  [column: string]: unknown;
}

export interface Envelope<T> {
  status_code: number;
  status_message: string;
  data: T;
}

export const FLOW = '5f3c9e0a7d1b4c2e8f6a0b9d3e7c1a24';

type Kind = 'assistant' | 'workflow';

export class Page extends Watched {
  readonly frames: ChatFrame[] = [];
  rows: Row[] = [];
  processing = false;
  /** The question that waits, or the page's own input field. */
  pending: ChatFrame | undefined;
  readonly chat: string;
  readonly #world: World;
  readonly #person: Person;
  readonly #kind: Kind;
  #socket: JsonSocket | undefined;

  constructor(world: World, person: Person, chat: string, kind: Kind = 'assistant') {
    super();
    this.#world = world;
    this.#person = person;
    this.chat = chat;
    this.#kind = kind;
  }

  /** As the page is opened: its history, then its socket. The token is in the cookie. */
  static async open(world: World, person: Person, chat: string, kind?: Kind): Promise<Page> {
    const page = new Page(world, person, chat, kind);
    await page.load();
    await page.connect();
    return page;
  }

  get #cookie(): { cookie: string } {
    return { cookie: `access_token_cookie=${this.#person.token}` };
  }

  /** Connects, perhaps again, to the server that is there now. */
  async connect(world = this.#world): Promise<void> {
    const path = this.#kind === 'workflow' ? 'workflow/chat' : 'assistant/chat';
    const query = this.chat === '' ? '' : `?chat_id=${encodeURIComponent(this.chat)}&t=`;
    this.over = undefined;
    this.#socket = await JsonSocket.open(world.origin, `/api/v1/${path}/${FLOW}${query}`, this.#cookie, {
      take: (frame) => this.#take(frame as unknown as ChatFrame),
      end: (how) => {
        this.over = how;
        this.wake();
      },
    });
    if (this.#kind === 'workflow') this.send({ action: this.rows.length > 0 ? 'check_status' : 'init_data' });
  }

  get socket(): JsonSocket {
    return this.#socket ?? expect.fail('the page has no socket');
  }

  send(frame: object): void {
    this.socket.send({ chat_id: this.chat, flow_id: FLOW, ...frame });
  }

  /** The user writes something. */
  say(text: string): void {
    this.rows.push({ category: 'question', text });
    if (this.#kind === 'workflow') this.input('input', { user_input: text }, text);
    else this.send({ inputs: { input: text }, chatHistory: [], name: 'Helper', description: '' });
  }

  /** The user answers the question that waits. */
  answer(value: string): void {
    const { node_id, key = '' } = (this.pending?.message ?? {}) as { node_id: string; key?: string };
    this.input(node_id, { [key]: value }, value);
  }

  input(node: string, data: object, message: string): void {
    const fields = {
      message_id: this.pending?.message_id ?? null,
      category: 'question',
      extra: '',
      source: 0,
    };
    this.send({ action: 'input', data: { [node]: { data, message, ...fields } } });
  }

  http<T>(path: string, fields: object = {}): Promise<Reply<Envelope<T>>> {
    return this.#world.http<Envelope<T>>(`/api/v1${path}`, { headers: this.#cookie, ...fields });
  }

  /** The chat's history as rows, oldest first. */
  async history(query = ''): Promise<HistoryRow[]> {
    const { status, body } = await this.http<HistoryRow[]>(
      `/chat/history?chat_id=${encodeURIComponent(this.chat)}&flow_id=${FLOW}${query}`,
    );
    expect(status).toBe(200);
    return body.data.toReversed();
  }

  async load(): Promise<void> {
    this.rows = (await this.history()).map(({ id, category, message }) => ({
      id,
      category,
      text: message.startsWith('{') ? String(JSON.parse(message).msg) : message,
    }));
  }

  /** Who said what, as the page shows it. */
  get shown(): string[] {
    return this.rows
      .filter(({ category }) => ['question', 'answer', 'output_msg', 'error'].includes(category))
      .map(({ category, text }) => `${category === 'question' ? 'user' : category}: ${text}`);
  }

  /** What is being written just now. */
  get writing(): string {
    return this.rows
      .filter(({ category, turn }) => category === 'processing' && turn !== undefined)
      .map(({ text }) => text)
      .join('');
  }

  /** Resolves when frames `category/type` have come so often. */
  came(what: string, times = 1): Promise<ChatFrame> {
    const fits = ({ category, type }: ChatFrame) => `${category}/${type}` === what;
    return this.until(() => this.frames.filter(fits)[times - 1], `${times} ${what}`);
  }

  get heard(): string[] {
    return this.frames.map(({ category, type }) => `${category}/${type}`);
  }

  #take(frame: ChatFrame): void {
    this.frames.push(frame);
    this.#show(frame);
    this.wake();
  }

  #show({ category, type, message, message_id: id, extra }: ChatFrame, frame = this.frames.at(-1)): void {
    const { turn, run_id }: { turn?: string; run_id?: string } = JSON.parse(extra);
    const last = this.rows.findLast((row) => row.category === category && row.open);
    switch (`${category}/${type}`) {
      case 'processing/begin':
        this.processing = true;
        // A reply that begins again is shown anew.
        this.rows = this.rows.filter((row) => row.turn === undefined || row.turn !== turn);
        return;
      case 'processing/close':
        this.processing = false;
        return;
      case 'processing/start':
        this.rows.push({ category, text: '', open: true, ...(turn ? { turn } : {}) });
        return;
      case 'processing/stream':
        if (last) last.text += (message as { content: string }).content;
        return;
      case 'answer/end_cover':
        this.rows = this.rows.filter((row) => row.turn === undefined || row.turn !== turn);
        this.#put({ category, text: String(message), ...(id ? { id } : {}) });
        return;
      case 'answer/end':
      case 'question/human':
        this.#put({ category, text: String(message), ...(id ? { id } : {}) });
        return;
      case 'error/end':
        this.rows.push({ category, text: String((message as { status_message: string }).status_message) });
        return;
      case 'stream_msg/stream': {
        const { unique_id, msg } = message as { unique_id: string; msg: string };
        const row = this.rows.find(({ key }) => key === unique_id);
        if (row) row.text += msg;
        else this.rows.push({ category: 'output_msg', text: msg, key: unique_id, ...(turn ? { turn } : {}) });
        return;
      }
      case 'stream_msg/end':
      case 'output_msg/over':
        this.#put({
          category: 'output_msg',
          text: String((message as { msg: string }).msg),
          ...(id ? { id } : {}),
        });
        return;
      case 'input/over':
      case 'output_with_input_msg/over':
      case 'output_with_choose_msg/over':
        this.pending = frame;
        return;
      default:
        if (last && type === 'end') last.open = false;
        else if (run_id !== undefined && type === 'start')
          this.rows.push({ category, text: run_id, open: true });
    }
  }

  /** A row that has an id is there once. */
  #put(row: Row): void {
    const at = this.rows.findIndex(
      ({ id, key }) => row.id !== undefined && (id === row.id || key === row.id),
    );
    if (at < 0) this.rows.push(row);
    else this.rows[at] = row;
  }

  protected override get tail(): string {
    return this.heard.slice(-20).join('\n');
  }
}

import WebSocket from 'ws';
import { Watched } from './watched.ts';

interface Button {
  label: string;
  custom_id: string;
  emoji?: string;
  style?: string;
}

interface Shown {
  text: string;
  sender: string;
  timestamp: number;
  buttons: Button[];
}

interface Received {
  filename: string;
  mimetype: string;
  bytes: Buffer;
  timestamp: number;
}

/** The frames of the seed, field by field; there are no others for this client. */
type StargazerFrame =
  | { type: 'message'; id: string; text: string; sender: string; timestamp: number; buttons?: Button[] }
  | { type: 'edit'; id: string; text: string; timestamp: number }
  | {
      type: 'file';
      id: string;
      filename: string;
      mimetype: string;
      data: string;
      size: number;
      timestamp: number;
    }
  | { type: 'typing'; active: boolean };

/** The Stargazer web chat page, from the seed alone: it knows four frames, and goes by what it does not know. */
export class StargazerPage extends Watched {
  readonly messages = new Map<string, Shown>();
  readonly files = new Map<string, Received>();
  typing = false;
  /** Frames that it did not know. */
  ignored = 0;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => {
      this.#take(JSON.parse(data.toString()));
      this.wake();
    });
    socket.on('close', (code) => {
      this.over = `closed ${code}`;
      this.wake();
    });
  }

  static async open(origin: string, token: string): Promise<StargazerPage> {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page = new StargazerPage(socket);
    await new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    return page;
  }

  #take(frame: StargazerFrame): void {
    switch (frame.type) {
      case 'message': {
        const { id, text, sender, timestamp, buttons = [] } = frame;
        this.messages.set(id, { text, sender, timestamp, buttons });
        break;
      }
      case 'edit': {
        const known = this.messages.get(frame.id);
        if (known) known.text = frame.text;
        break;
      }
      case 'file': {
        const { id, filename, mimetype, data, size, timestamp } = frame;
        const bytes = Buffer.from(data, 'base64');
        if (bytes.byteLength !== size) throw new Error(`${bytes.byteLength} bytes and not ${size}`);
        this.files.set(id, { filename, mimetype, bytes, timestamp });
        break;
      }
      case 'typing':
        this.typing = frame.active;
        break;
      default:
        this.ignored += 1;
    }
  }

  message(id: string): Promise<Shown> {
    return this.until(() => this.messages.get(id), `message ${id}`);
  }

  file(id: string): Promise<Received> {
    return this.until(() => this.files.get(id), `file ${id}`);
  }

  /** Closes it; resolves when it is closed. */
  close(): Promise<unknown> {
    this.#socket.close(1000);
    return this.until(() => this.over, 'the end').catch(() => undefined);
  }

  /** Breaks the connection without a word. */
  drop(): void {
    this.#socket.terminate();
  }

  protected override get tail(): string {
    return JSON.stringify([...this.messages]).slice(-2_000);
  }
}

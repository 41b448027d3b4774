import type { Dialect } from '../../../src/dialects/dialect.ts';
import { CLOSE } from '../../../src/protocol/errors.ts';
import type { Surface } from '../../../src/routes/dialects.ts';

/** What a client has of each reply, by its id. */
type Replies = Readonly<Record<string, { text: string; told: number }>>;

/** A chat of plain lines: `hello <token>`, then each line is a message, and replies come line by line as they are written. */
const socket: Dialect<Replies> = {
  name: 'lines',
  sockets: ['/lines'],
  hello: (text) => ({ token: /^hello (\S+)$/.exec(text)?.[1], claims: {} }),
  denied: ({ message }) => ({
    frames: [`! ${message}`],
    close: { code: CLOSE.unauthorized, reason: 'unauthorized' },
  }),
  open: () => ({}),
  up: (state, text, id) => ({ state, commands: [{ type: 'message', client_id: id, text }] }),
  down(state, frame) {
    if (frame.type === 'error') return { state, frames: [`! ${frame.message}`] };
    if (frame.type === 'message' && frame.role === 'user') return { state, frames: [`> ${frame.text}`] };
    if (frame.type !== 'chunk' && frame.type !== 'message') return { state };
    const id = frame.type === 'chunk' ? frame.message : frame.id;
    const { text = '', told = 0 } = state[id] ?? {};
    const now = frame.type === 'chunk' ? text.slice(0, frame.offset) + frame.text : frame.text;
    // A line is told once it is whole.
    const end = frame.type === 'message' ? now.length : now.lastIndexOf('\n') + 1;
    const lines = now.slice(told, end).replace(/\n$/, '').split('\n');
    return {
      state: { ...state, [id]: { text: now, told: Math.max(told, end) } },
      frames: end > told ? lines : [],
    };
  },
};

export const lines: Surface = { socket };

import { LinesReply, type Reply } from './reply.ts';
import type { Door } from './websocket.ts';
import type { Place, Wire } from './wire.ts';

/** What an application must say of a message besides its text. */
const MESSAGE =
  '"id":"msg_0123456789abcdef0123456789","conversation":"default","role":"assistant","sender":"star","timestamp":1700000000.123';

/** Socket.IO 4 as its own client speaks it over a WebSocket: Engine.IO's packets, and recovery by `pid` and `offset`. */
export function socketIo({ port }: Place): Wire {
  const door = (user: string, recovery = ''): Door => ({
    port,
    path: `/socket.io/?EIO=4&transport=websocket&user=${user}`,
    hello: [`40${recovery}`],
    heartbeat: { ask: '2', answer: '3' },
  });
  const lines = async (user: string, event: string, rest: string): Promise<Reply> =>
    new LinesReply(
      { port, path: `/outbound/${user}` },
      {
        chunk: (token) => `{"event":"${event}",${rest},"text":"${token}"}`,
        end: '{"event":"done","turn":"turn-1"}',
      },
    );
  const textOf = (event: string) => (message: string) =>
    message.startsWith(`42["${event}"`) ? JSON.parse(message.slice(2))[1].text : '';
  return {
    door: (user) => door(user),
    ready: '40{',
    reply: (user) => lines(user, 'chunk', '"turn":"turn-1"'),
    ended: '42["done"',
    textOf: textOf('chunk'),
    resume: {
      messages: (user) => lines(user, 'message', MESSAGE),
      textOfMessage: textOf('message'),
      door(user, came) {
        const texts = came.map(({ payload }) => payload.toString());
        const { pid } = JSON.parse(texts.find((text) => text.startsWith('40{'))?.slice(2) ?? '{}');
        const offset = JSON.parse(texts.findLast((text) => text.startsWith('42'))?.slice(2) ?? '[]').at(-1);
        return door(user, JSON.stringify({ pid, offset }));
      },
      replayed: (last) => `"${last}"`,
    },
    close: () => undefined,
  };
}

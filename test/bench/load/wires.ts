import { starwire } from './starwire.ts';
import { LinesReply, Publisher, type Encoding } from './reply.ts';
import type { Place, SystemName, Wire } from './wire.ts';

/** What the seeds' gateway is sent for a chunk, and sends on. */
const seedPayload = (token: string): string => `{"type":"chunk","turn":"turn-1","text":"${token}"}`;
const seedEnd = '{"type":"done","turn":"turn-1"}';

const textOfChunk = (message: string): string => {
  const frame: { type: string; text?: string } = JSON.parse(message);
  return frame.type === 'chunk' ? (frame.text ?? '') : '';
};

const nothing = (): void => undefined;

function seed({ port }: Place): Wire {
  return {
    door: (user) => ({ port, path: `/ws/${user}` }),
    ready: '"ready"',
    reply: async (user) =>
      new LinesReply({ port, path: `/outbound/${user}` }, { chunk: seedPayload, end: seedEnd }),
    ended: '"done"',
    textOf: textOfChunk,
    close: nothing,
  };
}

function seedRedis(place: Place): Wire {
  const publisher = new Publisher(place.redis_port ?? 0);
  return {
    ...seed(place),
    reply: async (user) => {
      const event = (payload: string): string => `{"user":"${user}","payload":${payload}}`;
      return publisher.reply('bench:outbound', {
        chunk: (token) => event(seedPayload(token)),
        end: event(seedEnd),
      });
    },
    close: () => publisher.close(),
  };
}

function socketIo({ port }: Place): Wire {
  const encoding: Encoding = {
    chunk: (token) => `{"event":"chunk","turn":"turn-1","text":"${token}"}`,
    end: '{"event":"done","turn":"turn-1"}',
  };
  return {
    door: (user) => ({
      port,
      path: `/socket.io/?EIO=4&transport=websocket&user=${user}`,
      hello: ['40'],
      heartbeat: { ask: '2', answer: '3' },
    }),
    ready: '40{',
    reply: async (user) => new LinesReply({ port, path: `/outbound/${user}` }, encoding),
    ended: '42["done"',
    textOf: (message) => (message.startsWith('42["chunk"') ? JSON.parse(message.slice(2))[1].text : ''),
    close: nothing,
  };
}

function agents({ port }: Place): Wire {
  return {
    door: (user) => ({ port, path: `/agents/room/${user}` }),
    ready: '{"type":"ready"}',
    reply: async (user) =>
      new LinesReply({ port, path: `/agents/room/${user}` }, { chunk: seedPayload, end: seedEnd }),
    ended: '"done"',
    textOf: textOfChunk,
    close: nothing,
  };
}

function bare(place: Place): Wire {
  return {
    ...seed(place),
    textOf: (message) => message.split('\n').map(textOfChunk).join(''),
  };
}

const WIRES: Record<SystemName, (place: Place) => Wire> = {
  starwire,
  seed,
  'seed-redis': seedRedis,
  'socket-io': socketIo,
  agents,
  bare,
};

export const wireTo = (place: Place): Wire => WIRES[place.system](place);

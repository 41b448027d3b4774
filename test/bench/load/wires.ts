import { LinesReply, Publisher } from './reply.ts';
import { socketIo } from './socket-io.ts';
import { starwire } from './starwire.ts';
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
    reply: async (user) => publisher.reply(`webchat:${user}`, { chunk: seedPayload, end: seedEnd }),
    close: () => publisher.close(),
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
    completion: (user) => ({ port, path: `/agents/room/${user}/chat/completions`, headers: {} }),
    close: nothing,
  };
}

/** Whoever only forwards sends several lines in one message. */
function bare(place: Place): Wire {
  return {
    ...seed(place),
    completion: () => ({ port: place.port, path: '/v1/chat/completions', headers: {} }),
    textOf: (message) => message.split('\n').map(textOfChunk).join(''),
  };
}

const WIRES: Record<SystemName, (place: Place) => Wire> = {
  starwire,
  seed,
  'seed-redis': seedRedis,
  'socket-io': socketIo,
  agents,
  floor: bare,
  'floor-relay': bare,
  bare,
};

export const wireTo = (place: Place): Wire => WIRES[place.system](place);

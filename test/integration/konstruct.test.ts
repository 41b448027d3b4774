import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { JsonSocket } from './json-socket.ts';
import { type Person, useWorld } from './world.ts';

const world = useWorld();

/** A user as the portal knows them: everything is a UUID. */
const portalUser = (roles: string[] = ['customer_operator']): Promise<Person> =>
  world().person({ sub: randomUUID(), tenant: randomUUID(), roles });

const open = (conversation: string) => JsonSocket.open(world().origin, `/chat/ws/${conversation}`);

const auth = ({ id, tenant, token }: Person) => ({
  ...{ type: 'auth', userId: id, role: 'customer_operator', tenantId: tenant, token },
});

const enter = async (person: Person, conversation: string): Promise<JsonSocket> => {
  const socket = await open(conversation);
  socket.send(auth(person));
  return socket;
};

/** The turn of the newest message of a conversation. */
const newestTurn = async (person: Person, conversation: string): Promise<string> => {
  const { body } = await world().as<{ messages: { turn: string }[] }>(
    person,
    `/api/conversations/${conversation}/messages`,
  );
  return body.messages[0]?.turn ?? expect.fail('there is no message');
};

describe('P-DI-1 who it is', () => {
  test('a message is answered: typing at once, chunks as they come, done with all of it', async () => {
    const person = await portalUser();
    const conversation = randomUUID();
    const socket = await enter(person, conversation);
    socket.send({ type: 'message', text: 'silent', agentId: randomUUID() });
    await socket.frame({ type: 'typing' });
    const native = await world().connect(person);
    const { turn } = await native.frame('turn');
    const { channel, tenant } = person;
    for (const event of [
      { kind: 'chunk', turn, text: 'Hel' },
      { kind: 'chunk', turn, text: 'lo' },
      { kind: 'done', turn },
    ])
      await world().outbound({ tenant, channel, ...event });
    await socket.frame({ type: 'done' });
    expect(socket.frames).toEqual([
      { type: 'typing' },
      { type: 'chunk', text: 'Hel' },
      { type: 'chunk', text: 'lo' },
      { type: 'done', text: 'Hello', conversation_id: conversation },
    ]);
    await native.frame('turn', ({ status }) => status === 'completed');
    expect(await newestTurn(person, conversation)).toBe(turn);
    await socket.close();
  });
});

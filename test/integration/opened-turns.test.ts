import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useUpstream } from './fake-upstream.ts';
import { send, type TurnFacts } from './v1.ts';
import { type Person, refused } from './world.ts';

/** Turns that the upstream opens, under ids of its choice (P-UP-4, P-WS-11). */

const { world, upstream } = useUpstream();

/** A connected user for whom the upstream has opened a turn. */
async function opened(id: string, fields: object = {}) {
  const person = await world().person();
  const client = await world().connect(person);
  expect(await send(world(), { channel: person.channel, kind: 'turn', id, ...fields })).toMatchObject([
    { id },
  ]);
  return { person, client };
}
const cancelOf = ({ id: user }: Person) =>
  upstream().first(({ type, user_id }) => type === 'cancel' && user_id === user);
const facts = (turn: string, query = '') => world().internal<TurnFacts>(`/turns/${turn}${query}`);

test('P-WS-11 a cancel names the conversation that the upstream opened the turn in', async () => {
  const id = `job-${randomUUID()}`;
  const { person, client } = await opened(id, { conversation: 'reports' });
  client.send({ type: 'cancel', turn: id });
  const { body } = await cancelOf(person);
  expect(body).toMatchObject({ turn: id, conversation: 'reports', channel_id: person.channel });
});

describe('an id that several users have', () => {
  test('P-WS-11 is cancelled for the one who cancels it, and the upstream hears whose it is', async () => {
    const id = `daily-${randomUUID()}`;
    const [one, two] = [await opened(id), await opened(id)];
    two.client.send({ type: 'cancel', turn: id });
    expect((await cancelOf(two.person)).body).toMatchObject({ turn: id, channel_id: two.person.channel });
    one.client.send({ type: 'cancel', turn: id });
    expect((await cancelOf(one.person)).body).toMatchObject({ turn: id, channel_id: one.person.channel });
    expect(upstream().deliveries.filter(({ body }) => body.turn === id)).toHaveLength(2);
  });

  test('5.3 is told apart by its channel; by the id alone it is the first one’s', async () => {
    const id = `daily-${randomUUID()}`;
    const [one, two] = [await opened(id), await opened(id)];
    await send(world(), { channel: two.person.channel, kind: 'chunk', turn: id, text: 'four' });
    const query = ({ channel }: Person) => `?channel=${encodeURIComponent(channel)}`;
    const [first, second] = [one.person, two.person].map(({ channel }) => ({ turn: id, channel }));
    expect((await facts(id)).body).toMatchObject({ ...first, text_length: 0 });
    expect((await facts(id, query(one.person))).body).toMatchObject({ ...first, text_length: 0 });
    expect((await facts(id, query(two.person))).body).toMatchObject({ ...second, text_length: 4 });
    const stranger = await world().person();
    expect(await facts(id, query(stranger))).toMatchObject(refused(404, 'not_found'));
    expect(await facts(id, '?channel=nobody')).toMatchObject(refused(400, 'bad_request', 'channel'));
  });
});

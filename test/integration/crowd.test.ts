import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Client, Refused } from './client.ts';
import { useWorld } from './world.ts';

/** For these users at once some 600 would be needed: two files a connection, three more for each object that is awake. */
const OPEN_FILES = 450;
const USERS = 100;

const world = useWorld({ openFiles: OPEN_FILES });

test('more users at once than files for them: each waits its turn or is told when to come again, and nothing ends in 500', async () => {
  const refusals: Refused[] = [];
  const enter = async (): Promise<Client> => {
    const person = await world().person();
    for (;;) {
      try {
        return await world().connect(person);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refusals.push(error);
        await delay(Number(error.headers['retry-after']) * 1_000);
      }
    }
  };
  const [runtime] = world().server.runtimes();
  const clients = await Promise.all(Array.from({ length: USERS }, enter));
  expect(refusals.length).toBeGreaterThan(0);
  for (const { status, body } of refusals) {
    expect(status).toBe(503);
    expect(body).toMatchObject({ error: { code: 'internal', retryable: true, retry_after: 15 } });
  }
  await Promise.all(clients.map((client) => client.ping()));
  expect(world().server.runtimes()).toEqual([runtime]);
  expect(world().server.output()).not.toMatch(/SQLITE|crashed/);
});

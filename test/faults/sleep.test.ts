import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Client } from '../integration/client.ts';
import { type Person, useWorld } from '../integration/world.ts';

const SOCKETS = 1_000;

/** One message a minute: what is left of that lives in the object's memory, so that it shows whether the object was rebuilt. */
const world = useWorld({
  env: { LIMITS: '{"sessions_per_user":1100,"messages_per_minute":1,"messages_burst":1}' },
});

/** Objects sleep after some 10 s without an event. */
const ASLEEP_S = 15;

/** Waits for a person's turn in small groups: a thousand handshakes at once are another test. */
async function connectAll(person: Person, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) {
    const group = Array.from({ length: Math.min(50, count - clients.length) }, () => world().connect(person));
    clients.push(...(await Promise.all(group)));
  }
  return clients;
}

/**
 * Asks whether the object is the same as at the last asking. The message is too long to be taken and leaves nothing behind but
 * the one place it took up: as long as the object lives, the next is refused because of that.
 */
async function isFresh(person: Person): Promise<boolean> {
  const body = { client_id: crypto.randomUUID(), text: 'x'.repeat(40_000) };
  const { status } = await world().as(person, '/api/messages', { body });
  expect([413, 429]).toContain(status);
  return status === 413;
}

/** CPU time of the runtime so far, in milliseconds, as finely as the system tells. */
function cpu_ms(): number {
  const pid = String(world().server.runtimes()[0]);
  if (process.platform === 'linux') {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
  const time = execFileSync('ps', ['-o', 'time=', '-p', pid], { encoding: 'utf8' });
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000;
}

describe('sleep', () => {
  test('P-WS-4 a hub with 1,000 sockets that only ping sleeps; an event wakes it and reaches each socket once', async () => {
    const person = await world().person();
    const awake = await world().person();
    const busy = await world().connect(awake);
    const clients = await connectAll(person, SOCKETS);
    expect([await isFresh(person), await isFresh(awake)]).toEqual([true, true]);
    expect([await isFresh(person), await isFresh(awake)]).toEqual([false, false]);

    const before = cpu_ms();
    for (let s = 0; s < ASLEEP_S; s++) {
      const next = pause(1_000);
      await Promise.all(clients.map((client) => client.ping()));
      // The other hub is spoken to: it stays up, and remembers.
      await busy.settled();
      await next;
    }
    // A fifth of one core, at most, for a thousand pings a second and the tests' own questions.
    expect(cpu_ms() - before).toBeLessThan(ASLEEP_S * 200);

    const { body } = await world().outbound({
      channel: person.channel,
      kind: 'message',
      text: 'good morning',
    });
    expect(body.results).toMatchObject([{ seq: 1, delivered: true }]);
    await Promise.all(clients.map((client) => client.frame('message')));
    expect([await isFresh(person), await isFresh(awake)]).toEqual([true, false]);

    // Pongs come behind everything that was sent before them.
    await Promise.all(clients.map((client) => client.ping()));
    for (const client of clients) expect(client.durable()).toEqual([{ type: 'message', seq: 1 }]);
  });
});

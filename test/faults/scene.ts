import { expect } from 'vitest';
import { type DurableFrame, isTerminal, type TurnFrame } from '../../src/protocol/server-frames.ts';
import type { Person, World } from '../integration/world.ts';
import { type Battered, KILLS } from './battered.ts';
import { Ledger } from './ledger.ts';
import { post } from './post.ts';
import type { Random } from './random.ts';
import { Reader } from './reader.ts';
import { historyOf, reloaded, shown, Viewer } from './viewer.ts';

/** A user under fire: what was meant for them, their tabs and a program that reads along. */
export interface Scene {
  person: Person;
  ledger: Ledger;
  viewers: [Viewer, Viewer];
  reader: Reader;
}

/** A user with everything connected. */
export async function stage(world: World): Promise<Scene> {
  const person = await world.person({ exp: Math.floor(Date.now() / 1000) + 86_400 });
  const viewers: Scene['viewers'] = [new Viewer(world, person), new Viewer(world, person)];
  const reader = new Reader(world, person);
  await Promise.all([...viewers, reader].map(({ live }) => live));
  return { person, ledger: new Ledger(), viewers, reader };
}

export function leave({ viewers, reader }: Scene): void {
  for (const { client } of viewers) client.stop();
  reader.close();
}

/** Kills the server while `work` goes on, then lets it come to its end; resolves when everybody has everything. */
export async function underFire(
  server: Battered,
  scenes: readonly Scene[],
  random: Random,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const end = new AbortController();
  const finished = work(end.signal);
  for (let n = 0; n < KILLS; n++) {
    await Promise.race([server.strike(random), finished]);
    // As a page does that learns that the network is back.
    for (const { viewers } of scenes) for (const { client } of viewers) client.retryNow();
  }
  end.abort();
  await finished;
  for (const scene of scenes) await settle(server.world, scene);
}

/** One last message: whoever has it has all before it. */
async function settle(world: World, { person, ledger, viewers, reader }: Scene): Promise<void> {
  const text = 'the last one';
  const [result] = await post(world, {
    events: { channel: person.channel, kind: 'message', text },
    headers: { 'idempotency-key': text },
  });
  const id = ledger.ack('message', result);
  ledger.messages.set(id, text);
  await reader.reached(result?.seq ?? 0);
  for (const viewer of viewers) {
    viewer.client.retryNow();
    await viewer.until('state', () => viewer.items.some((item) => item.id === id));
  }
}

/** P-WS-8: the reader has had every entry once, in order, and every text whole. */
export function expectExact({ reader }: Scene): void {
  expect(reader.faults).toEqual([]);
  expect(reader.journal.map(({ seq }) => seq)).toEqual(reader.journal.map((_, at) => at + 1));
}

/** Every tab shows what a tab would that is opened now, and the wire never left anything out for it to repair. */
export async function expectConverged(world: World, { person, viewers }: Scene): Promise<void> {
  const expected = reloaded(await historyOf(world, person));
  const said = (items: Viewer['items']) =>
    items.filter((item) => item.kind === 'message' && item.turn === undefined).map(({ id }) => id);
  for (const viewer of viewers) {
    expect(viewer.losses).toEqual([]);
    expect(viewer.stale).toEqual(['start']);
    expect(viewer.items.toSorted(byId).map(shown)).toEqual(expected.toSorted(byId).map(shown));
    expect(said(viewer.items)).toEqual(said(expected));
  }
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}

/** The terminal frames of a journal. */
export function endingsOf(journal: readonly DurableFrame[]): TurnFrame[] {
  return journal.flatMap((frame) => (frame.type === 'turn' && isTerminal(frame.status) ? [frame] : []));
}

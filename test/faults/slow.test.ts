import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { FileFrame, MessageFrame, ServerFrame } from '../../src/protocol/server-frames.ts';
import type { Client } from '../integration/client.ts';
import { Events } from '../integration/events.ts';
import { type Person, useWorld, type World } from '../integration/world.ts';
import { RawEvents, RawSocket } from './raw.ts';

const world = useWorld();

/** Messages of 32 KiB: so many are more than a session may leave unseen. */
const MESSAGES = 48;
const UNITS = 32_768;
/** The contract's bound is on what was sent before the frame that goes over it. */
const FRAME_BYTES = UNITS + 512;

const text = (n: number): string => String(n).padEnd(UNITS, '.');

async function say(to: World, { channel }: Person, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += 4) {
    const events = [n, n + 1, n + 2, n + 3].map((one) => ({ channel, kind: 'message', text: text(one) }));
    const { status } = await to.outbound(events);
    expect(status).toBe(200);
  }
}

function messagesOf(frames: readonly ServerFrame[]): MessageFrame[] {
  return frames.filter((frame): frame is MessageFrame => frame.type === 'message');
}

const numbers = (frames: readonly ServerFrame[]): number[] =>
  messagesOf(frames).map((frame) => Number.parseInt(frame.text, 10));

const upTo = (end: number, begin = 0): number[] => Array.from({ length: end - begin }, (_, at) => begin + at);

describe('P-WS-14 1 stalled of 50 sockets', () => {
  /** 49 that read, and one that said `seen` once and then stopped reading. */
  async function crowd(): Promise<{ person: Person; clients: Client[]; stalled: RawSocket }> {
    const person = await world().person();
    const clients = await Promise.all(upTo(49).map(() => world().connect(person)));
    const stalled = new RawSocket(world(), person);
    await stalled.frame('ready');
    stalled.send({ type: 'seen', seq: 0 });
    // The answer to this says that the one before it was heard.
    stalled.send({ type: 'cancel', turn: 'turn_of_nobody' });
    await stalled.frame('error');
    stalled.stall();
    return { person, clients, stalled };
  }

  const sessions = async ({ id }: Person): Promise<number> => {
    const { body } = await world().internal<{ sessions: unknown[] }>(`/users/${id}`);
    return body.sessions.length;
  };

  test('P-WS-4 the 49 others get the same frames in the same order', async () => {
    const { person, clients, stalled } = await crowd();
    expect(await sessions(person)).toBe(50);
    await say(world(), person, 0, MESSAGES);
    const last = ({ text: said }: MessageFrame): boolean => said === text(MESSAGES - 1);
    await Promise.all(clients.map((client) => client.frame('message', last)));
    const [first, ...others] = clients.map(({ raw }) => raw.slice(1));
    expect(numbers((first ?? []).map((json) => JSON.parse(json)))).toEqual(upTo(MESSAGES));
    for (const other of others) expect(other).toEqual(first);
    expect(await sessions(person)).toBe(49);
    stalled.end();
  });

  test('P-WS-14 the stalled one is closed 4013, with no more queued for it than the bound; it resumes by cursor', async () => {
    const { person, stalled } = await crowd();
    await say(world(), person, 0, MESSAGES);
    expect(await sessions(person)).toBe(49);
    stalled.resume();
    expect(await stalled.closed).toBe(4013);
    const had = messagesOf(stalled.frames);
    expect(numbers(had)).toEqual(upTo(had.length));
    const queued = had.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    expect(queued).toBeLessThan(DEFAULT_LIMITS.unseen_bytes + 4 * FRAME_BYTES);
    expect(queued).toBeGreaterThan(DEFAULT_LIMITS.unseen_bytes - FRAME_BYTES);

    const { epoch } = await stalled.frame('welcome');
    const query = { cursor: `${epoch}.${had.at(-1)?.seq}` };
    const again = await world().connect(person, { query });
    expect(numbers(again.frames)).toEqual(upTo(MESSAGES, had.length));
  });

  test('P-WS-14 a socket that tells what it has seen is not closed, however much it gets', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    for (let n = 0; n < MESSAGES; n += 16) {
      await say(world(), person, n, 16);
      const { seq } = await client.frame('message', ({ text: said }) => said === text(n + 15));
      client.send({ type: 'seen', seq });
    }
    await client.settled();
    expect(numbers(client.frames)).toEqual(upTo(MESSAGES));
  });
});

describe('P-WS-14 an SSE client that stops reading', () => {
  const FILES = 160;
  const FILE_BYTES = 196_608;
  const data = Buffer.alloc(FILE_BYTES, 'x').toString('base64');

  const named = (frames: readonly ServerFrame[]): FileFrame[] =>
    frames.filter((frame): frame is FileFrame => frame.type === 'file');

  test('is sent no more than its credit; when it reads again it gets all, once, in order; others are unaffected', async () => {
    const person = await world().person();
    const socket = await world().connect(person);
    const events = await Events.open(world().origin, person.token);
    const stalled = new RawEvents(world(), person);
    await Promise.all([events.frame('ready'), stalled.frame('ready')]);
    stalled.stall();
    for (const n of upTo(FILES)) {
      const { status } = await world().outbound({
        channel: person.channel,
        kind: 'file',
        filename: `${n}.bin`,
        data,
      });
      expect(status).toBe(200);
    }
    const isLast = ({ filename }: FileFrame): boolean => filename === `${FILES - 1}.bin`;
    await Promise.all([socket.frame('file', isLast), events.frame('file', isLast)]);
    const all = upTo(FILES).map((n) => `${n}.bin`);
    for (const { frames } of [socket, events])
      expect(named(frames).map(({ filename }) => filename)).toEqual(all);

    // Links are signed when a frame is sent: from the next second on, they tell what leaves the journal only now.
    const resumed = Math.floor(Date.now() / 1000) + 1;
    await pause(resumed * 1000 - Date.now());
    stalled.resume();
    await stalled.until(() => named(stalled.frames).find(isLast));
    const files = named(stalled.frames);
    expect(files.map(({ filename }) => filename)).toEqual(all);
    const sentAt = ({ url }: FileFrame): number =>
      Number(new URL(url).searchParams.get('exp')) - DEFAULT_LIMITS.signed_url_ms / 1000;
    const early = files.filter((file) => sentAt(file) < resumed);
    // What the kernel holds on both sides of the connection is some megabytes more than the credit.
    expect(early.length).toBeLessThan(FILES / 2);
    expect(files.findLastIndex((file) => early.includes(file))).toBe(early.length - 1);
    events.close();
    stalled.end();
  });
});

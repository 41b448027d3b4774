import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RequestStream } from '../../src/worker.ts';
import { type Client, chunk, connect, hubOf, internal, openTurn, placeOf, post, someone } from './harness.ts';

afterEach(() => void vi.restoreAllMocks());

const turnOf = async (client: Client): Promise<string> => {
  const ack = await client.until((frame) => frame.type === 'ack');
  return ack.turn ?? '';
};

/** Makes a turn's last sign of life lie an hour back. */
const silence = (user: string, turn: string) =>
  runInDurableObject(hubOf(user), (_, { storage }) => {
    const long_ago = Date.now() - 3_600_000;
    storage.sql.exec(
      "UPDATE turns SET state = json_set(state, '$.active_at', ?) WHERE turn = ?",
      long_ago,
      turn,
    );
    // A turn that never had any text may have no table for it either.
    if (storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'texts'").toArray().length > 0)
      storage.sql.exec('UPDATE texts SET at = ? WHERE turn = ?', long_ago, turn);
  });

describe('what alarms repair', () => {
  test('DESIGN 5 a start that failed is made again, once', async () => {
    const user = someone();
    const client = await connect(user);
    const call = vi.spyOn(RequestStream.prototype, 'call').mockImplementationOnce(() => {
      throw new Error('reset');
    });
    client.send({ type: 'message', client_id: 'c1', text: 'hello' });
    const turn = await turnOf(client);
    await vi.waitUntil(() => call.mock.results.length > 0);
    expect(await runDurableObjectAlarm(hubOf(user))).toBe(true);
    await client.until(
      (frame) => frame.type === 'turn' && frame.turn === turn && frame.status === 'completed',
    );
    expect(call).toHaveBeenCalledTimes(2);
    expect(client.of('turn').map(({ status }) => status)).toEqual(['queued', 'running', 'completed']);
  });

  test('DESIGN 5 a start that was lost in a crash is made again by the alarm alone', async () => {
    const user = someone();
    const client = await connect(user);
    const call = vi.spyOn(RequestStream.prototype, 'call').mockImplementation(() => {
      throw new Error('reset');
    });
    client.send({ type: 'message', client_id: 'c1', text: 'hello' });
    const turn = await turnOf(client);
    await vi.waitUntil(() => call.mock.results.length > 0);
    await abortAllDurableObjects();
    call.mockRestore();
    expect(await runDurableObjectAlarm(hubOf(user))).toBe(true);
    const again = await connect(user, placeOf(client));
    await again.until(
      (frame) => frame.type === 'turn' && frame.turn === turn && frame.status === 'completed',
    );
  });

  test('P-UP-3 a turn that fell silent expires, though the hub sleeps; its text is kept', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    await post(user, [chunk(turn, 'half')]);
    await silence(user, turn);
    await evictDurableObject(hubOf(user));
    await runDurableObjectAlarm(hubOf(user));
    const ended = await client.until((frame) => frame.type === 'turn' && frame.status === 'expired');
    expect(ended).toMatchObject({ turn, error: { type: 'upstream_silent' } });
    expect(client.of('message')).toMatchObject([{ text: 'half', partial: true }]);
    expect(await post(user, [chunk(turn, 'late')])).toMatchObject([{ error: { code: 'turn_finished' } }]);
  });

  test('P-UP-3 a turn that no upstream ever accepted fails', async () => {
    const user = someone();
    const client = await connect(user);
    vi.spyOn(RequestStream.prototype, 'call').mockImplementation(async () => 'ordered');
    client.send({ type: 'message', client_id: 'c1', text: 'hello' });
    const turn = await turnOf(client);
    // What is under way is over when it is evicted.
    await evictDurableObject(hubOf(user));
    await silence(user, turn);
    await evictDurableObject(hubOf(user));
    await runDurableObjectAlarm(hubOf(user));
    const ended = await client.until((frame) => frame.type === 'turn' && frame.status === 'failed');
    expect(ended).toMatchObject({ turn, error: { type: 'upstream_unreachable' } });
  });

  test('DESIGN 5 a generation that broke off in a crash fails and keeps its text: it is not made twice', async () => {
    const user = someone();
    const client = await connect(user);
    client.send({ type: 'message', client_id: 'c1', text: 'slow please' });
    const turn = await turnOf(client);
    await client.until((frame) => frame.type === 'chunk');
    await abortAllDurableObjects();
    await client.untilClosed();
    const again = await connect(user, placeOf(client));
    expect(await runDurableObjectAlarm(env.REQUEST_STREAM.getByName(turn))).toBe(true);
    const ended = await again.until(
      (frame) => frame.type === 'turn' && frame.turn === turn && frame.status !== 'running',
    );
    expect(ended).toMatchObject({ status: 'failed', error: { type: 'upstream_stream' } });
    const facts: { status: string } = await internal(`/turns/${turn}`);
    expect(facts.status).toBe('failed');
  });

  test('P-WS-11 a cancel survives a restart and reaches the turn’s own object', async () => {
    const user = someone();
    const client = await connect(user);
    client.send({ type: 'message', client_id: 'c1', text: 'slow please' });
    const turn = await turnOf(client);
    await client.until((frame) => frame.type === 'chunk');
    const call = vi.spyOn(RequestStream.prototype, 'call').mockImplementation(() => {
      throw new Error('reset');
    });
    client.send({ type: 'cancel', turn });
    await client.until((frame) => frame.type === 'turn' && frame.status === 'cancelled');
    await vi.waitUntil(() => call.mock.results.length > 0);
    await abortAllDurableObjects();
    call.mockRestore();
    const told = vi.spyOn(RequestStream.prototype, 'call');
    await runDurableObjectAlarm(hubOf(user));
    expect(
      told.mock.calls.map(
        ([
          {
            call: { type },
            turn: of,
          },
        ]) => [type, of],
      ),
    ).toEqual([['cancel', turn]]);
    const again = await connect(user, placeOf(client));
    expect(again.of('turn')).toEqual([]);
  });
});

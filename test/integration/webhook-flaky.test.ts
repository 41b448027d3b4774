import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Delivered, useUpstream } from './fake-upstream.ts';

/** Receivers that cannot make up their mind (P-UP-3): whatever they do, a turn has one result. */

const ATTEMPT_MS = 400;

const { world, upstream } = useUpstream({ LIMITS: JSON.stringify({ webhook_attempt_ms: ATTEMPT_MS }) });
/** How the attempts of a delivery with a certain text are answered, one after the other; the last one for all others. */
const answers = new Map<string, Answer[]>();

beforeAll(async () => {
  upstream().answer = (delivered) => {
    const { turn, text } = delivered.body;
    const attempt = upstream().deliveries.filter(({ body }) => body.turn === turn).length;
    const steps = answers.get(text) ?? [];
    return (steps[attempt - 1] ?? steps.at(-1))?.(delivered);
  };
});

async function asked(...steps: Answer[]) {
  const text = randomUUID();
  answers.set(text, steps);
  const person = await world().person();
  const client = await world().connect(person);
  client.send({ type: 'message', client_id: 'c', text });
  const { turn = '' } = await client.frame('ack');
  const over = () =>
    client.frame(
      'turn',
      (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status),
      20_000,
    );
  return { channel: person.channel, client, turn, over };
}

type Asked = Awaited<ReturnType<typeof asked>>;

/** The result of a turn, after everything that could still have come for it. */
async function expectOne({ client, turn, over }: Asked, text: string): Promise<void> {
  expect(await over()).toMatchObject({ status: 'completed' });
  await client.settled();
  const of = client.all('turn').filter((frame) => frame.turn === turn);
  expect(of.map(({ status }) => status).filter((status) => status !== 'queued')).toEqual([
    'running',
    'completed',
  ]);
  const replies = client.all('message').filter(({ role }) => role === 'assistant');
  expect(replies.map((reply) => reply.text)).toEqual([text]);
}

const status =
  (code: number): Answer =>
  ({ response }) =>
    response.writeHead(code).end();
const breaks: Answer = ({ response }) => response.destroy();
const silent: Answer = () => undefined;
const inline =
  (text: string): Answer =>
  ({ response }) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ events: [{ kind: 'chunk', text }, { kind: 'done' }] }));
  };

/** Posts a whole reply; resolves with the code of each refusal. */
async function post({ body }: Delivered, text: string): Promise<string[]> {
  const { channel_id: channel, turn } = body;
  const events = [
    { channel, kind: 'chunk', turn, text },
    { channel, kind: 'done', turn },
  ];
  return (await world().outbound(events)).body.results.flatMap(({ error }) => error?.code ?? []);
}

describe.concurrent('P-UP-3 one result of a turn', () => {
  test('P-UP-3 from a receiver that flaps: refused, broken off, and then answered', async () => {
    const turn = await asked(status(503), breaks, inline('At last'));
    await expectOne(turn, 'At last');
    expect(await upstream().of(turn.turn)).toHaveLength(3);
  });

  test('P-UP-3 from one that is too slow to accept, but replies: it is not asked again', async () => {
    const turn = await asked(async (delivered) => {
      await expect.poll(() => delivered.response.destroyed || delivered.response.closed).toBe(true);
      await post(delivered, 'Slowly');
    });
    await expectOne(turn, 'Slowly');
    // The time of another attempt, seen on a turn that is given one.
    const other = await asked(silent, inline('Other'));
    await other.over();
    expect(await upstream().of(turn.turn)).toHaveLength(1);
  });

  test('P-UP-3 from one that is too slow and replies to both attempts: the later reply is refused', async () => {
    const first = Promise.withResolvers<Delivered>();
    const turn = await asked((delivered) => first.resolve(delivered), inline('Once'));
    await expectOne(turn, 'Once');
    expect(await post(await first.promise, 'Twice')).toEqual(['turn_finished', 'turn_finished']);
    await expectOne(turn, 'Once');
  });

  test('P-UP-3 from one that replies inside the response and posts it as well', async () => {
    const turn = await asked(inline('Here'));
    await expectOne(turn, 'Here');
    const [delivered] = await upstream().of(turn.turn);
    if (!delivered) return expect.fail('nothing was delivered');
    expect(await post(delivered, 'There')).toEqual(['turn_finished', 'turn_finished']);
    await expectOne(turn, 'Here');
  });

  test('P-UP-3 from one that is gone for good (410): failed at once, with a reason', async () => {
    const { client, turn, over } = await asked(status(410));
    expect(await over()).toMatchObject({ status: 'failed', error: { type: 'upstream_rejected' } });
    await client.settled();
    expect(
      client.all('turn').filter((frame) => frame.turn === turn && frame.status === 'failed'),
    ).toHaveLength(1);
    expect(await upstream().of(turn)).toHaveLength(1);
  });
});

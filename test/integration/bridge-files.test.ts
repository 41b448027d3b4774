import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, FakeOpenAi } from './fake-openai.ts';
import { startServer } from './server.ts';
import { PNG, uploaded } from './upload.ts';
import { World } from './world.ts';

/** Whatever it is asked. */
const hello: Answer = (response) => {
  const said = { choices: [{ delta: { content: 'Seen' }, finish_reason: 'stop' }] };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`);
};

let upstream: FakeOpenAi;
let world: World;

beforeAll(async () => {
  upstream = await FakeOpenAi.start(new Proxy({}, { get: () => hello }));
  world = new World(await startServer({ env: upstream.env }));
});
afterAll(async () => {
  await world?.server.stop();
  await upstream?.stop();
});

test('P-BR-1 files of a message reach the model with their bytes, those of earlier messages by name', async () => {
  const person = await world.person();
  const client = await world.connect(person);
  const image = await uploaded(world, person, { body: PNG, filename: 'dot.png', type: 'image/png' });
  const table = await uploaded(world, person, {
    body: 'a,b\n1,2\n',
    filename: 'table.csv',
    type: 'text/csv',
  });
  const large = await uploaded(world, person, {
    // As base64 it is more than 8 MiB.
    body: Buffer.alloc(6_500_000),
    filename: 'large.bin',
    type: 'application/octet-stream',
  });
  const ask = async (text: string, ...files: { id: string }[]) => {
    const client_id = randomUUID();
    client.send({ type: 'message', client_id, text, attachments: files.map(({ id }) => ({ id })) });
    const { turn } = await client.frame('ack', (ack) => ack.client_id === client_id);
    const end = await client.frame(
      'turn',
      (one) => one.turn === turn && one.status !== 'queued' && one.status !== 'running',
    );
    expect(end.status).toBe('completed');
    return upstream.calls.at(-1)?.body.messages;
  };
  const first = await ask('Look', image, table, large);
  expect(first).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
        { type: 'text', text: expect.stringContaining('a,b\n1,2\n') },
        { type: 'text', text: expect.stringContaining('large.bin') },
      ],
    },
  ]);
  const second = await ask('And now?');
  expect(second?.at(-1)).toEqual({ role: 'user', content: 'And now?' });
  expect(JSON.stringify(second?.[0])).toContain('dot.png');
});

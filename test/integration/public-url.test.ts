import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { useUpstream } from './fake-upstream.ts';
import { uploaded } from './upload.ts';

/** A gateway behind a proxy, which others reach by `PUBLIC_URL`. */
const PUBLIC_URL = 'https://chat.example.com/starwire';

const { world, upstream } = useUpstream({ PUBLIC_URL });

test('PUBLIC_URL is where the urls of files begin, in answers, frames, deliveries, results and history', async () => {
  const person = await world().person();
  const client = await world().connect(person);
  const file = await uploaded(world(), person, { body: 'Hello' });
  client.send({ type: 'message', client_id: randomUUID(), text: 'Look', attachments: [{ id: file.id }] });
  const { turn = '' } = await client.frame('ack');
  const shown = await client.frame('message');
  const [delivered] = await upstream().of(turn);
  const data = Buffer.from('Reply').toString('base64');
  await world().outbound({ channel: `webchat:${person.id}`, kind: 'file', filename: 'f', data });
  const reply = await client.frame('file');
  const { body: history } = await world().as<HistoryPage>(person, '/api/conversations/default/messages');
  const { body: found } = await world().as<{ results: { message: { url: string } }[] }>(
    person,
    '/api/search?q=f',
  );
  const urls = [
    file.url,
    shown.attachments?.[0]?.url,
    delivered?.body.attachments[0]?.url,
    reply.url,
    found.results[0]?.message.url,
    ...history.messages.map((row) => (row.type === 'file' ? row.url : row.attachments?.[0]?.url)),
  ];
  expect(urls).toHaveLength(7);
  for (const url of urls) {
    expect(url).toMatch(/^https:\/\/chat\.example\.com\/starwire\/files\/file_[^/]+\/[^/]+\?exp=/);
    const response = await fetch(`${world().origin}${url?.slice(PUBLIC_URL.length)}`);
    expect(['Hello', 'Reply']).toContain(await response.text());
  }
});

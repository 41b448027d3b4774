import { expect, test } from 'vitest';
import { sseEvents } from '../../../src/upstream/bridge/sse.ts';

const said = (content: string) => JSON.stringify({ choices: [{ delta: { content } }] });

/** Everything a body of this kind may hold. */
const body = (end: string): Uint8Array =>
  new TextEncoder().encode(
    [
      ...[`\uFEFF: a comment`, `data: ${said('wörld 😀')}`, ''],
      ...['event: hermes.tool.progress', 'id: 7', 'data: {"tool":', 'data: "grep"}', ''],
      ...[':ping', '', 'retry: 10', `data:${said('x')}`, '', 'data: [DONE]', '', ''],
    ].join(end),
  );

const EVENTS = [
  { data: said('wörld 😀') },
  { event: 'hermes.tool.progress', data: '{"tool":\n"grep"}' },
  { data: said('x') },
  { data: '[DONE]' },
];

async function eventsOf(...parts: Uint8Array[]) {
  const body = new ReadableStream<Uint8Array>({
    type: 'bytes',
    start(controller) {
      // A byte stream takes memory over, and takes no empty piece.
      for (const part of parts) if (part.length > 0) controller.enqueue(part.slice());
      controller.close();
    },
  });
  const events = (await Array.fromAsync(sseEvents(body))).flat();
  return events.map(({ event, data }) => ({ ...(event === undefined ? {} : { event }), data }));
}

test.each(['\n', '\r\n', '\r'])('P-BR-2 a body with line ends %j is the same, cut anywhere', async (end) => {
  const bytes = body(end);
  for (let at = 0; at <= bytes.length; at += 1)
    expect(await eventsOf(bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(EVENTS);
  expect(await eventsOf(...[...bytes].map((_, at) => bytes.subarray(at, at + 1)))).toEqual(EVENTS);
});

test('P-BR-2 an event that was left open at the end is given', async () => {
  expect(await eventsOf(new TextEncoder().encode('data: [DONE]'))).toEqual([{ data: '[DONE]' }]);
});

import { expect, test, vi } from 'vitest';
import { useWorld } from '../integration/world.ts';
import { RawEvents } from './raw.ts';

const world = useWorld({
  env: { LIMITS: '{"journal_events":100,"record_after_ms":500}' },
});

test('P-WS-8 an SSE client that stalled until the journal was cut is told by one reset, never given a hole', async () => {
  const person = await world().person();
  const stalled = new RawEvents(world(), person);
  await stalled.frame('ready');
  stalled.stall();
  const text = 'x'.repeat(65_536);
  for (let n = 0; n < 400; n += 1) {
    const { status } = await world().outbound({ channel: person.channel, kind: 'message', text });
    expect(status).toBe(200);
  }
  // Until the records have taken it all and the journal was cut: then a cursor from before that is refused.
  const { epoch } = await stalled.frame('welcome');
  await vi.waitUntil(
    async () => {
      const client = await world().connect(person, { query: { cursor: `${epoch}.1` } });
      await client.close();
      return client.all('reset').length > 0;
    },
    { timeout: 10_000, interval: 200 },
  );
  stalled.resume();
  await stalled.frame('reset');
  await world().outbound({ channel: person.channel, kind: 'message', text: 'last' });
  await stalled.until(() =>
    stalled.frames.find((frame) => frame.type === 'message' && frame.text === 'last'),
  );
  let at = 0;
  for (const frame of stalled.frames) {
    if (frame.type === 'reset') at = frame.seq;
    if (frame.type !== 'message') continue;
    expect(frame.seq).toBe(at + 1);
    at = frame.seq;
  }
  expect(stalled.frames.filter(({ type }) => type === 'reset')).toHaveLength(1);
});

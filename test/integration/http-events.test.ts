import { describe, expect, test } from 'vitest';
import { Events } from './events.ts';
import { refused, useWorld } from './world.ts';

const heartbeat = { sse_heartbeat_ms: 300 };
const world = useWorld({ env: { LIMITS: JSON.stringify(heartbeat) } });

const listen = async ({ token }: { token: string }, at: Parameters<typeof Events.open>[2] = {}) => {
  const events = await Events.open(world().origin, token, at);
  await events.frame('ready');
  return events;
};

describe('GET /api/events', () => {
  test('gives the native frames: event the type, data the frame, id the cursor', async () => {
    const person = await world().person();
    const events = await listen(person);
    const { headers } = events.response;
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(events.comments.length).toBeGreaterThan(0);
    const [welcome] = events.all('welcome');
    const tab = await world().connect(person);
    const turn = await world().turn(tab);
    const event = { channel: person.channel, turn };
    await world().outbound({ ...event, kind: 'chunk', text: 'héllo', reasoning: 'hm' });
    await world().outbound({ ...event, kind: 'done' });
    await events.frame('turn', ({ status }) => status === 'completed');
    const { epoch } = welcome ?? expect.fail('no welcome');
    expect(events.events.map(({ event: name, frame }) => name === frame.type)).not.toContain(false);
    expect(events.events.slice(2).map(({ event: name, id }) => [name, id])).toEqual([
      ['message', `${epoch}.1`],
      ['turn', `${epoch}.2~${turn}:0:0`],
      ['turn', `${epoch}.3~${turn}:0:0`],
      ['chunk', `${epoch}.3~${turn}:0:2`],
      ['chunk', `${epoch}.3~${turn}:5:2`],
      ['message', expect.stringContaining(`${epoch}.4`)],
      ['turn', `${epoch}.5`],
    ]);
    await tab.until(() => tab.durable().length === 5 || undefined);
    expect(events.frames.slice(2)).toEqual(
      tab.frames.filter(({ type }) => !['welcome', 'ready', 'ack'].includes(type)),
    );
    events.close();
  });

  test('a comment comes as a heartbeat', async () => {
    const events = await listen(await world().person());
    await events.until(() => events.comments.length >= 3 || undefined);
    events.close();
  });

  test('P-WS-9 without a cursor: what nobody was given, and it counts as given', async () => {
    const person = await world().person();
    await world().outbound({ channel: person.channel, kind: 'message', text: 'waiting' });
    const first = await listen(person);
    expect(first.all('message')).toMatchObject([{ text: 'waiting' }]);
    first.close();
    const second = await listen(person);
    expect(second.all('message')).toEqual([]);
    second.close();
  });

  test('P-WS-8 Last-Event-ID and ?cursor= go on exactly', async () => {
    const person = await world().person();
    const { channel } = person;
    const say = (text: string) => world().outbound({ channel, kind: 'message', text });
    const before = await listen(person);
    await say('one');
    await before.frame('message');
    before.close();
    await say('two');
    await say('three');
    for (const at of [{ last: before.last }, { cursor: before.last ?? '' }]) {
      const after = await listen(person, at);
      expect(after.all('welcome')).toMatchObject([{ resumed: true }]);
      expect(after.all('message').map(({ text }) => text)).toEqual(['two', 'three']);
      after.close();
    }
  });

  test('P-WS-8 in the middle of a stream, after every chunk: nothing twice, nothing missing', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const event = { channel: person.channel, turn, kind: 'chunk' };
    let events = await listen(person);
    let text = '';
    for (let n = 0; n < 12; n++) {
      await world().outbound({ ...event, text: `wört ${n} ` });
      const chunk = await events.frame('chunk', ({ text: said }) => said.includes(`wört ${n}`));
      expect(chunk.offset).toBe(text.length);
      text += chunk.text;
      const { last } = events;
      events.close();
      if (n % 2 === 0) {
        await world().outbound({ ...event, text: '…' });
        events = await listen(person, { last });
        const missed = await events.frame('chunk');
        expect(missed).toMatchObject({ offset: text.length, text: '…' });
        text += missed.text;
      } else events = await listen(person, { last });
      expect(events.all('turn')).toMatchObject([{ turn, snapshot: true, status: 'running' }]);
    }
    await world().outbound({ ...event, kind: 'done' });
    expect((await events.frame('message')).text).toBe(text);
    events.close();
  });

  test('an id that is none of ours ends in reset, and the stream goes on', async () => {
    const person = await world().person();
    await world().outbound({ channel: person.channel, kind: 'message', text: 'x' });
    const events = await listen(person, { last: 'somebody-else' });
    expect(events.all('reset')).toMatchObject([{ reason: 'unknown', seq: 1 }]);
    await world().outbound({ channel: person.channel, kind: 'message', text: 'y' });
    expect((await events.frame('message')).text).toBe('y');
    events.close();
  });

  test('a long replay comes whole, however little is taken at a time', async () => {
    const person = await world().person();
    const { channel } = person;
    const text = 'x'.repeat(20_000);
    await world().outbound(
      Array.from({ length: 60 }, (_, n) => ({ channel, kind: 'message', text: `${n} ${text}` })),
    );
    const events = await listen(person);
    expect(events.all('message').map((frame) => Number(frame.text.split(' ')[0]))).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    );
    events.close();
  });

  test('counts as a session, and no longer once the client has gone', async () => {
    const person = await world().person();
    const events = await listen(person);
    const sessions = () => world().internal<{ sessions: object[] }>(`/users/${person.id}`);
    expect((await sessions()).body.sessions).toMatchObject([{ dialect: 'sse', user_id: person.id }]);
    events.close();
    await expect.poll(async () => (await sessions()).body.sessions, { timeout: 10_000 }).toEqual([]);
  });

  test('P-WS-12 a token that expires ends the stream with token_expired', async () => {
    const person = await world().person({ exp: Math.floor(Date.now() / 1000) + 2 });
    const events = await listen(person);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 2_010);
    await promise;
    await world().outbound({ channel: person.channel, kind: 'message', text: 'secret' });
    expect(await events.frame('error')).toMatchObject({ code: 'token_expired' });
    expect(await events.ended).toBe('ended');
    expect(events.all('message')).toEqual([]);
  });

  test('without a token it is unauthorized, before any stream', async () => {
    expect(await world().http('/api/events')).toMatchObject(refused(401, 'unauthorized'));
  });

  test('a cancel over HTTP is seen on it', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const events = await listen(person);
    await world().as(person, `/api/turns/${turn}/cancel`, { method: 'POST' });
    expect(await events.frame('turn', ({ status }) => status === 'cancelled')).toMatchObject({ turn });
    events.close();
  });
});

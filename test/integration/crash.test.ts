import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../src/protocol/history.ts';
import type { Client } from './client.ts';
import { Events } from './events.ts';
import { mortal } from './mortal.ts';
import type { Person, World } from './world.ts';

const historyOf = async (world: World, person: Person) => {
  const path = '/api/conversations/default/messages?limit=200';
  return (await world.as<HistoryPage>(person, path)).body.messages.toReversed();
};

/** Each `seq` once, without a gap, over two connections of one client. */
function expectGapless(...clients: Client[]): void {
  const seqs = clients.flatMap((client) => client.durable().map(({ seq }) => seq));
  expect(seqs).toEqual(seqs.map((_, n) => n + (seqs[0] ?? 0)));
}

describe('P-RUN-2 SIGKILL of everything', () => {
  test('in the middle of a reply: what was shown goes on, ends once, and nothing is doubled', async () => {
    const { world, reborn } = await mortal();
    const person = await world.person();
    const before = await world.connect(person);
    const other = await Events.open(world.origin, person.token);
    before.send({ type: 'message', client_id: 'c', text: 'slow' });
    const { turn } = await before.frame('ack');
    await before.until(() => (before.texts.get(turn ?? '')?.text.length ?? 0) > 30 || undefined, 'some text');
    await other.frame('chunk');

    const next = await reborn();
    expect((await before.closed).code).toBe(1006);
    const after = await next.reconnect(person, before);
    expect(after.all('reset')).toEqual([]);
    const end = await after.frame(
      'turn',
      (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status),
      40_000,
    );
    // The generation was in the process that died; it is told, not silently begun again.
    expect(end).toMatchObject({ status: 'failed', error: { type: 'upstream_stream' } });
    const message = await after.frame('message', ({ id }) => id === end.message);
    expect(message.partial).toBe(true);
    expect(before.texts.get(turn ?? '')?.text.startsWith(message.text.slice(0, 20))).toBe(true);
    expectGapless(before, after);
    const rows = await historyOf(next, person);
    expect(rows).toMatchObject([{ text: 'slow' }, { id: message.id, text: message.text, partial: true }]);

    const sse = await Events.open(next.origin, person.token, { last: other.last });
    await sse.frame('ready');
    expect(sse.all('reset')).toEqual([]);
    sse.close();
  });

  test('P-UP-6 in the middle of many requests: every result that was answered is there, once and in order', async () => {
    const { world, reborn } = await mortal();
    const person = await world.person();
    const before = await world.connect(person);
    const turn = await world.turn(before);
    const { channel } = person;
    const answered: { id: string; seq: number; text: string }[] = [];
    let chunks = '';
    let sent = 0;
    let alive = true;
    const writing = (async () => {
      while (alive) {
        const text = `message ${sent++}`;
        const reply = await world
          .outbound([
            { channel, turn, kind: 'chunk', text: `${text} ` },
            { channel, kind: 'message', text },
          ])
          .catch(() => undefined);
        const [, result] = reply?.body.results ?? [];
        if (!result?.id || !result.seq) return;
        answered.push({ id: result.id, seq: result.seq, text });
        chunks += `${text} `;
      }
    })();
    await before.until(() => before.all('message').length > 20 || undefined, 'twenty messages');
    const next = await reborn();
    alive = false;
    await writing;

    // Twenty were seen; the last of them may have been shown and not yet answered.
    expect(answered.length).toBeGreaterThanOrEqual(19);
    const after = await next.reconnect(person, before);
    expect(after.all('reset')).toEqual([]);
    const known = new Map(
      [...before.all('message'), ...after.all('message')].map((frame) => [frame.id, frame]),
    );
    for (const { id, seq, text } of answered) expect(known.get(id)).toMatchObject({ seq, text });
    expectGapless(before, after);
    const { body } = await next.internal<{ text_length: number }>(`/turns/${turn}`);
    expect(body.text_length).toBeGreaterThanOrEqual(chunks.length);
    await next.outbound({ channel, turn, kind: 'done' });
    const { text } = await after.frame(
      'message',
      (frame) => frame.turn === turn && frame.role === 'assistant',
    );
    expect(text.startsWith(chunks)).toBe(true);
    expect(after.texts.get(turn)?.text).toBe(text);
    // One more may have been stored whose answer was lost; none is there twice.
    const rows = (await historyOf(next, person)).flatMap((row) =>
      row.type === 'message' && row.text.startsWith('message') && row.turn === undefined ? [row.text] : [],
    );
    expect(rows).toEqual(rows.map((_, n) => `message ${n}`));
    expect(rows.length - answered.length).toBeLessThanOrEqual(1);
  });

  test('P-UP-7 in the middle of an NDJSON ingest: the same request sent again completes it exactly', async () => {
    const { world, reborn } = await mortal();
    const person = await world.person();
    const before = await world.connect(person);
    const turn = await world.turn(before);
    const { channel } = person;
    const words = Array.from({ length: 400 }, (_, n) => `wört ${n} 🌟 `);
    const lines: object[] = words.flatMap((text, n) => [
      { channel, turn, kind: 'chunk', text },
      ...(n % 50 === 0
        ? [{ channel, turn, kind: 'tool', tool: `t${n}`, name: 'step', status: 'completed' }]
        : []),
    ]);
    lines.push({ channel, turn, kind: 'done' });
    const headers = {
      authorization: `Bearer ${world.server.secrets.INTERNAL_TOKEN}`,
      'content-type': 'application/x-ndjson',
      'idempotency-key': randomUUID(),
    };
    const sent = request(`${world.origin}/internal/outbound`, { method: 'POST', headers });
    const broken = once(sent, 'error');
    for (const line of lines.slice(0, 150)) sent.write(`${JSON.stringify(line)}\n`);
    await before.until(() => before.texts.get(turn)?.text.includes('wört 140 ') || undefined, 'word 140');

    const next = await reborn();
    await broken;
    const after = await next.reconnect(person, before);
    expect(after.all('reset')).toEqual([]);
    const { status, body } = await next.ndjson(lines, headers);
    expect(status).toBe(200);
    expect(body.results.filter(({ error }) => error)).toEqual([]);
    const { text } = await after.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe(words.join(''));
    expect(after.texts.get(turn)?.text).toBe(text);
    expectGapless(before, after);
    const tools = [...before.all('tool'), ...after.all('tool')].map(({ tool }) => tool);
    expect(tools).toEqual(['t0', 't50', 't100', 't150', 't200', 't250', 't300', 't350']);
  });

  test('P-UP-7 a generation that goes on by offset from the durable lengths completes exactly', async () => {
    const { world, reborn } = await mortal();
    const person = await world.person();
    const before = await world.connect(person);
    const turn = await world.turn(before);
    const { channel } = person;
    const whole = Array.from({ length: 200 }, (_, n) => `word${n} `).join('');
    const sent = request(`${world.origin}/internal/outbound`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.server.secrets.INTERNAL_TOKEN}`,
        'content-type': 'application/x-ndjson',
      },
    });
    const broken = once(sent, 'error');
    for (let at = 0; at < 700; at += 7)
      sent.write(
        `${JSON.stringify({ channel, turn, kind: 'chunk', offset: at, text: whole.slice(at, at + 7) })}\n`,
      );
    await before.until(
      () => (before.texts.get(turn)?.text.length ?? 0) >= 700 || undefined,
      '700 characters',
    );

    const next = await reborn();
    await broken;
    const facts = await next.internal<{ text_length: number; status: string }>(`/turns/${turn}`);
    const { text_length: offset, status } = facts.body;
    expect(status).toBe('running');
    expect(offset).toBeLessThanOrEqual(700);
    const after = await next.reconnect(person, before);
    await next.outbound([
      { channel, turn, kind: 'chunk', offset, text: whole.slice(offset) },
      { channel, turn, kind: 'done' },
    ]);
    const { text } = await after.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe(whole);
    expect(after.texts.get(turn)?.text).toBe(whole);
  });

  test('P-WS-5, P-WS-9, P-WS-11 sends, undelivered messages and cancels are remembered', async () => {
    const { world, reborn } = await mortal();
    const [person, offline] = [await world.person(), await world.person()];
    const before = await world.connect(person);
    const turn = await world.turn(before);
    before.send({ type: 'message', client_id: 'once', text: 'silent', conversation: 'other' });
    const ack = await before.frame('ack', ({ client_id }) => client_id === 'once');
    before.send({ type: 'cancel', turn });
    await before.frame('turn', ({ status }) => status === 'cancelled');
    await world.outbound({ channel: offline.channel, kind: 'message', text: 'waiting' });

    const next = await reborn();
    const after = await next.reconnect(person, before);
    after.send({ type: 'message', client_id: 'once', text: 'silent', conversation: 'other' });
    expect(await after.frame('ack')).toEqual({ ...ack, duplicate: true });
    after.send({ type: 'cancel', turn });
    expect(await after.frame('error')).toMatchObject({ code: 'turn_finished' });
    expect((await next.connect(offline)).all('message')).toMatchObject([{ text: 'waiting' }]);
    expect((await next.connect(offline)).all('message')).toEqual([]);
  });

  test('presence: who was online when everything died is found offline', async () => {
    const { world, reborn } = await mortal();
    const tenant = `t-${randomUUID()}`;
    const [gone, back] = [await world.person({ tenant }), await world.person({ tenant })];
    await world.connect(gone);
    await world.connect(back);
    const next = await reborn();
    const client = await next.connect(back);
    const users = () => next.internal(`/users?tenant=${tenant}`);
    const online = { active_users: [back.id], total_connections: 1, approximate: false };
    expect((await users()).body).toEqual(online);
    expect((await users()).body).toEqual(online);
    expect((await next.internal(`/users/${gone.id}?tenant=${tenant}`)).body).toMatchObject({ online: false });
    await client.close();
  });
});

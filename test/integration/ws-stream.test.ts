import { describe, expect, test } from 'vitest';
import { useWorld } from './world.ts';

const world = useWorld();

/** A user with one tab and an open turn whose reply the test gives. */
async function talking() {
  const person = await world().person();
  const client = await world().connect(person);
  const turn = await world().turn(client);
  const { channel } = person;
  const give = (...events: object[]) =>
    world().outbound(events.map((event) => ({ channel, turn, ...event })));
  return { person, client, turn, channel, give };
}

const terminal = ({ status }: { status: string }) => !['queued', 'running'].includes(status);

describe('P-WS-6 streaming', () => {
  test('offsets say where each chunk begins in the text of its kind', async () => {
    const { client, turn, give } = await talking();
    await give({ kind: 'chunk', text: 'let me see', reasoning: true });
    await give({ kind: 'chunk', text: 'Good ' });
    await give({ kind: 'chunk', text: ', yes', reasoning: true });
    await give({ kind: 'chunk', text: 'morning' });
    await give({ kind: 'done' });
    await client.frame('turn', terminal);
    expect(client.all('chunk').map(({ kind, offset, text }) => [kind, offset, text])).toEqual([
      ['reasoning', 0, 'let me see'],
      ['text', 0, 'Good '],
      ['reasoning', 10, ', yes'],
      ['text', 5, 'morning'],
    ]);
    expect(client.texts.get(turn)).toEqual({ text: 'Good morning', reasoning: 'let me see, yes' });
    expect(await client.frame('message', ({ role }) => role === 'assistant')).toMatchObject({
      text: 'Good morning',
      reasoning: 'let me see, yes',
      sender: 'star',
      turn,
    });
  });

  test('a chunk may carry reasoning beside its text', async () => {
    const { client, turn, give } = await talking();
    await give({ kind: 'chunk', text: 'answer', reasoning: 'why' });
    await client.until(() => client.texts.get(turn)?.text || undefined);
    expect(client.texts.get(turn)).toEqual({ text: 'answer', reasoning: 'why' });
  });

  test('an emoji cut between two requests is never shown in halves', async () => {
    const { client, turn, give } = await talking();
    const [high = '', low = ''] = '🌟'.split('');
    await give({ kind: 'chunk', text: `a${high}` });
    await give({ kind: 'chunk', text: `${low}b` });
    await give({ kind: 'done' });
    const { text } = await client.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe('a🌟b');
    expect(client.all('chunk').map(({ offset, text }) => [offset, text])).toEqual([
      [0, 'a'],
      [1, '🌟b'],
    ]);
    const { body } = await world().internal(`/turns/${turn}`);
    expect(body).toMatchObject({ text_length: 4 });
  });

  test('half an emoji at the end becomes U+FFFD', async () => {
    const { client, give } = await talking();
    await give({ kind: 'chunk', text: 'end\ud83c' }, { kind: 'done' });
    const { text } = await client.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe('end\ufffd');
    await client.frame('turn', terminal);
    expect([...client.texts.values()][0]?.text).toBe('end\ufffd');
  });

  test('bytes of NDJSON cut inside a character, and escapes cut from their other half, lose nothing', async () => {
    const { client, turn, channel } = await talking();
    const texts = ['Grüße ', '👩‍👩‍👧‍👦 ', 'Ωmega ', '漢字'];
    const bytes = new TextEncoder().encode(
      texts.map((text) => `${JSON.stringify({ channel, turn, kind: 'chunk', text })}\r\n`).join(''),
    );
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
        controller.close();
      },
    });
    const response = await fetch(`${world().origin}/internal/outbound`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world().server.secrets.INTERNAL_TOKEN}`,
        'content-type': 'application/x-ndjson',
      },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(200);
    await client.until(() => client.texts.get(turn)?.text === texts.join('') || undefined, 'the whole text');
  });
});

describe('P-WS-7 the end', () => {
  test('the final message and the one terminal turn are adjacent, in that order', async () => {
    const { client, turn, give } = await talking();
    await give({ kind: 'chunk', text: 'draft' });
    const usage = { input_tokens: 3, output_tokens: 5 };
    const { body } = await give({ kind: 'done', text: 'final', usage, finish_reason: 'stop' });
    const end = await client.frame('turn', terminal);
    const message = await client.frame('message', ({ role }) => role === 'assistant');
    expect(end).toEqual({
      type: 'turn',
      seq: message.seq + 1,
      turn,
      conversation: 'default',
      message: message.id,
      status: 'completed',
      usage,
      finish_reason: 'stop',
    });
    expect(message.text).toBe('final');
    expect(message.partial).toBeUndefined();
    expect(client.all('chunk').map((chunk) => chunk.message)).toEqual([message.id]);
    expect(body.results).toEqual([{ id: message.id, seq: end.seq, delivered: true }]);
    expect(client.frames.indexOf(end) - client.frames.indexOf(message)).toBe(1);
  });

  test('the first outbound event implies running', async () => {
    const { client, turn, give } = await talking();
    expect(await client.frame('turn')).toMatchObject({ status: 'queued' });
    await give({ kind: 'tool', tool: 't', name: 'look', status: 'running' });
    await client.frame('tool');
    expect(client.all('turn').map(({ status }) => status)).toEqual(['queued', 'running']);
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ status: 'running' });
  });

  test('text is flushed before any durable event of its turn; tools are placed by offset', async () => {
    const { client, give } = await talking();
    const tool = { kind: 'tool', tool: 't', name: 'look', args: { q: 1 } };
    await give(
      { kind: 'chunk', text: 'before ' },
      { ...tool, status: 'running' },
      { ...tool, status: 'completed', result: { ok: true }, preview: 'found' },
      { kind: 'chunk', text: 'after' },
      { kind: 'done' },
    );
    await client.frame('turn', terminal);
    const types = client.frames.map(({ type }) => type);
    expect(types.slice(types.indexOf('chunk'))).toEqual([
      'chunk',
      'tool',
      'tool',
      'chunk',
      'message',
      'turn',
    ]);
    expect(client.all('tool')).toMatchObject([
      { status: 'running', offset: 7, args: { q: 1 } },
      { status: 'completed', offset: 7, result: { ok: true }, preview: 'found' },
    ]);
  });

  test('a failure keeps the text as a partial message and says why', async () => {
    const { client, give } = await talking();
    const why = { label: 'Quota', type: 'upstream_rate_limited', message: 'too much', hint: 'wait' };
    await give({ kind: 'chunk', text: 'so far' }, { kind: 'error', ...why });
    expect(await client.frame('turn', terminal)).toMatchObject({ status: 'failed', error: why });
    expect(await client.frame('message', ({ role }) => role === 'assistant')).toMatchObject({
      text: 'so far',
      partial: true,
    });
  });

  test('a failure without any text makes no message', async () => {
    const { client, give } = await talking();
    await give({ kind: 'error', message: 'broken' });
    await client.frame('turn', terminal);
    expect(client.all('message').map(({ role }) => role)).toEqual(['user']);
  });

  test('events for a finished turn are refused with turn_finished, and nothing moves', async () => {
    const { client, turn, give } = await talking();
    await give({ kind: 'chunk', text: 'x' }, { kind: 'done' });
    await client.frame('turn', terminal);
    const late = [
      { kind: 'chunk', text: 'late' },
      { kind: 'tool', tool: 't', name: 'n', status: 'running' },
      { kind: 'message', text: 'late' },
      { kind: 'prompt', question: 'late?' },
      { kind: 'done' },
      { kind: 'error', message: 'late' },
    ];
    const { body } = await give(...late);
    expect(body.results).toEqual(
      late.map(() => ({ delivered: false, error: expect.objectContaining({ code: 'turn_finished' }) })),
    );
    await client.settled();
    expect(client.all('turn').filter(terminal)).toHaveLength(1);
    expect(client.frames.at(-2)).toMatchObject({ type: 'turn', turn });
  });

  test('a message of the turn is its reply and does not end it; done does', async () => {
    const { client, turn, give } = await talking();
    await give({ kind: 'chunk', text: 'draft' });
    const { body } = await give({ kind: 'message', text: 'the reply' });
    const reply = await client.frame('message', ({ role }) => role === 'assistant');
    expect(reply).toMatchObject({ text: 'the reply', turn, id: client.all('chunk')[0]?.message });
    expect(body.results[0]?.id).toBe(reply.id);
    expect(client.all('turn').filter(terminal)).toEqual([]);
    await give({ kind: 'done' });
    expect(await client.frame('turn', terminal)).toMatchObject({ status: 'completed', message: reply.id });
  });

  test('an edit of a streaming message is conflict, of an unknown one not_found, of a finished one an edit', async () => {
    const { client, give, channel } = await talking();
    await give({ kind: 'chunk', text: 'draft' });
    const { message } = await client.frame('chunk');
    const edit = (id: string) => world().outbound({ channel, kind: 'edit', id, text: 'edited' });
    expect(await edit(message)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
    expect(await edit('msg_unknown')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    await give({ kind: 'done' });
    expect(await edit(message)).toMatchObject({ status: 200, body: { results: [{ id: message }] } });
    expect(await client.frame('edit')).toMatchObject({ id: message, text: 'edited' });
  });
});

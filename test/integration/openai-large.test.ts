import { createHash, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { useUpstream, verify } from './fake-upstream.ts';
import { useWorld } from './world.ts';

/** Large bodies of `/v1`, as they come with images in them (P-OA-2, P-OA-7). */

const { world, upstream } = useUpstream();
beforeAll(async () => {
  upstream().answer = ({ body, response }) => {
    const text = createHash('sha256').update(JSON.stringify(body.request)).digest('hex');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ events: [{ kind: 'done', text }] }));
  };
});

const MB = 1_000_000;
/** A request with an image of so many bytes, whose text needs three bytes a character here and there. */
const asking = (bytes: number, text = 'What is 这?') => ({
  model: 'any',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text },
        {
          type: 'image_url',
          image_url: { url: `data:image/png;base64,${'iVBORw0KGgo字A'.repeat(bytes / 16)}` },
        },
      ],
    },
  ],
});
const post = async (body: object | string, headers: Record<string, string> = {}, person = world().person()) =>
  world().as<{ choices: { message: { content: string } }[] }>(await person, '/v1/chat/completions', {
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

describe('P-OA-2 a large request', () => {
  test.each([0.9, 1, 2.1, 12])(
    'P-OA-2 of %d MB reaches the upstream whole, signed, with its text',
    async (size) => {
      const request = asking(size * MB, `What is 这 of ${size}?`);
      const { status, body } = await post(request);
      expect(status).toBe(200);
      const sum = createHash('sha256').update(JSON.stringify(request)).digest('hex');
      expect(body.choices[0]?.message.content).toBe(sum);
      const delivered = await upstream().first(({ text }) => text === `What is 这 of ${size}?`);
      verify(world().server.secrets.UPSTREAM_WEBHOOK_SECRET, delivered);
    },
  );

  test('P-OA-7 is the same request only where all of it is the same', async () => {
    const person = world().person();
    const headers = { 'idempotency-key': randomUUID() };
    const request = JSON.stringify(asking(3 * MB, 'once'));
    const first = await post(request, headers, person);
    expect(first.status).toBe(200);
    const again = await post(request, headers, person);
    expect(again.body).toEqual(first.body);
    expect(upstream().deliveries.filter(({ body }) => body.text === 'once')).toHaveLength(1);
    const other = request.replace(/A(?="\}\})/, 'B');
    expect(other).not.toBe(request);
    expect(await post(other, headers, person)).toMatchObject({
      status: 422,
      body: { error: { code: 'idempotency_mismatch' } },
    });
  });
});

describe('P-OA-2 a request over the limit', () => {
  const small = useWorld({ env: { LIMITS: JSON.stringify({ completion_bytes: 65_536 }) } });

  /** Of exactly so many bytes. */
  const sized = (bytes: number) => {
    const empty = JSON.stringify(asking(0, ''));
    return JSON.stringify(asking(0, 'x'.repeat(bytes - empty.length)));
  };

  test('P-OA-2 is refused, whether or not it says how large it is', async () => {
    const { token } = await small().person();
    const send = (body: RequestInit) =>
      fetch(`${small().origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...body,
      });
    const streamed = (text: string) => ({ body: new Blob([text]).stream(), duplex: 'half' });
    expect((await send({ body: sized(65_536) })).status).toBe(200);
    expect((await send(streamed(sized(65_536)))).status).toBe(200);
    for (const body of [{ body: sized(65_537) }, streamed(sized(65_537))]) {
      const response = await send(body);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        error: { type: 'invalid_request_error', code: 'too_large' },
      });
    }
  });
});

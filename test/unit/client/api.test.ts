import { describe, expect, it } from 'vitest';
import { Api, HttpError } from '../../../src/client/index.ts';

interface Call {
  method: string;
  url: URL;
  token: string;
  body: string;
}

/** An Api whose server answers with these, one after the other. */
function apiOf(...answers: (Response | Error)[]): { api: Api; calls: Call[]; reasons: string[] } {
  const calls: Call[] = [];
  const reasons: string[] = [];
  const api = new Api({
    base: 'https://chat.example',
    token: (reason) => {
      reasons.push(reason);
      return `token ${reasons.length}`;
    },
    fetch: async (input, init) => {
      const { method, url, headers } = new Request(String(input), init);
      const token = headers.get('authorization') ?? '';
      calls.push({ method, url: new URL(url), token, body: String(init?.body ?? '') });
      const answer = answers.shift() ?? new Error('no more answers');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { api, calls, reasons };
}

const refusal = (status: number, code: string) =>
  Response.json({ error: { code, message: `refused: ${code}`, retryable: false } }, { status });

const row = {
  type: 'message',
  seq: 4,
  id: 'm1',
  conversation: 'c1',
  role: 'user',
  sender: 'ada',
  text: 'Hi',
  timestamp: 1,
};

describe('the HTTP side of the SDK', () => {
  it('puts ids into paths whole, whatever is in them', async () => {
    const { api, calls } = apiOf(
      Response.json({ messages: [], next: null }),
      new Response(null, { status: 204 }),
    );
    await api.history('a/b?c#d ü', 50, 12);
    await api.remove('../me');
    expect(calls.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
      'GET /api/conversations/a%2Fb%3Fc%23d%20%C3%BC/messages?limit=50&before=12',
      'DELETE /api/conversations/..%2Fme',
    ]);
  });

  it('reads what it knows and leaves out what it cannot read', async () => {
    const last = {
      type: 'message',
      id: 'm1',
      role: 'assistant',
      sender: 'star',
      text: 'Hello',
      timestamp: 2,
    };
    const { api } = apiOf(
      Response.json({
        conversations: [
          { id: 'c1', title: 'One', updated_at: 2, last_message: last },
          { title: 'no id' },
          { id: 'c2', last_message: null },
        ],
        next: 7,
      }),
      Response.json({
        messages: [row, { type: 'message' }, { type: 'of a newer server', seq: 1 }],
        next: 'x',
      }),
      Response.json({
        results: [{ message: row, conversation: { id: 'c1', title: 'One' }, snippet: 'Hi' }, {}],
        next: null,
      }),
    );
    expect(await api.conversations(40)).toEqual({
      items: [
        { id: 'c1', title: 'One', updated_at: 2, last_message: { text: 'Hello', role: 'assistant' } },
        { id: 'c2', title: '', updated_at: 0 },
      ],
      next: 7,
    });
    expect(await api.history('c1', 50)).toEqual({ messages: [row], next: null });
    expect((await api.search('hi', 10)).items).toEqual([
      { message: row, conversation: { id: 'c1', title: 'One' }, snippet: 'Hi' },
    ]);
  });

  it('asks for another token once where one is refused', async () => {
    const { api, calls, reasons } = apiOf(
      refusal(401, 'token_expired'),
      Response.json({ turn: 't2' }, { status: 202 }),
    );
    expect(await api.regenerate('t1')).toBe('t2');
    expect(reasons).toEqual(['start', 'refused']);
    expect(calls.map(({ token }) => token)).toEqual(['Bearer token 1', 'Bearer token 2']);
    const { api: unlucky } = apiOf(refusal(401, 'unauthorized'), refusal(401, 'unauthorized'));
    await expect(unlucky.rename('c1', 'x')).rejects.toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('throws what the server says, and says when it cannot be reached or is not ours', async () => {
    const { api } = apiOf(
      refusal(410, 'turn_finished'),
      new TypeError('network'),
      new Response('<html>', { status: 200 }),
    );
    await expect(api.regenerate('t')).rejects.toEqual(
      new HttpError(410, 'refused: turn_finished', 'turn_finished'),
    );
    await expect(api.history('c', 1)).rejects.toMatchObject({ status: 0 });
    await expect(api.history('c', 1)).rejects.toBeInstanceOf(HttpError);
  });
});

import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type ReplyEvent, verifyWebhook } from '../../../src/adapter/index.ts';
import { type Delivery, delivery } from '../../../src/protocol/delivery.ts';
import { parseOutbound } from '../../../src/protocol/outbound.ts';
import { sign } from '../../../src/upstream/webhook.ts';

/** Deliveries as Starwire signs them (P-UP-1, P-UP-2), with the `standardwebhooks` package as the other side. */

const SECRETS = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString('base64')}`);
const [FIRST = '', SECOND = ''] = SECRETS;
const NOW = Date.now();

const told = delivery({
  ...{
    type: 'message',
    tenant: 'default',
    channel_id: 'webchat:ada',
    conversation: 'default',
    turn: 'turn_1',
  },
  ...{ seq: 1, message_id: 'msg_1', user_id: 'ada', user_name: 'Ada', avatar: '', text: 'Héllo "漢字" 😀\n' },
  timestamp: NOW / 1000,
});
const BODY = JSON.stringify(told);

const request = (headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer> = BODY) =>
  new Request('https://bot.example.com/hook', { method: 'POST', headers, body });
const signed = (secret: string, { id = 'msg_1', at = new Date(NOW), body = BODY } = {}) => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': new Webhook(secret).sign(id, at, body),
});
const verify = (headers: Record<string, string>, body = BODY, secrets = [FIRST]) =>
  verifyWebhook(request(headers, body), { secrets, now: NOW });
const untrusted = { code: 'unauthorized', status: 401, retryable: false };

describe('P-UP-1 verifyWebhook', () => {
  test('P-UP-1 takes what the standardwebhooks package signs, as it was', async () => {
    expect(await verify(signed(FIRST))).toEqual({ ...told, id: 'msg_1' });
  });

  test('P-UP-1 the published vector of Standard Webhooks', async () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const verified = verifyWebhook(request(headers, '{"test": 2432232314}'), {
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      now: 1_614_265_330_000,
    });
    // It is genuine; that it is none of our messages is said afterwards.
    await expect(verified).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('type'),
    });
  });

  test('P-UP-1 either secret will do while they rotate, on both sides', async () => {
    const both = sign(SECRETS, 'msg_1', new Date(NOW), BODY);
    for (const secret of SECRETS) {
      await expect(verify(both, BODY, [secret])).resolves.toMatchObject({ turn: 'turn_1' });
      await expect(verify(signed(secret), BODY, SECRETS)).resolves.toMatchObject({ turn: 'turn_1' });
    }
  });

  test('P-UP-1 a secret that is not base64 is the key itself, as Starwire takes it', async () => {
    const secret = 'a secret with spaces!';
    await expect(verify(sign([secret], 'msg_1', new Date(NOW), BODY), BODY, [secret])).resolves.toMatchObject(
      {
        id: 'msg_1',
      },
    );
  });

  test.each([
    ['another secret', signed(SECOND), BODY],
    ['another id', { ...signed(FIRST), 'webhook-id': 'msg_2' }, BODY],
    ['another body', signed(FIRST), BODY.replace('ada', 'eve')],
    ['another time', { ...signed(FIRST), 'webhook-timestamp': String(Math.floor(NOW / 1000) + 1) }, BODY],
    ['no headers', {}, BODY],
    ['no signature', { ...signed(FIRST), 'webhook-signature': '' }, BODY],
    ['a signature that is none', { ...signed(FIRST), 'webhook-signature': 'v1,%%% v1, v1a,x' }, BODY],
    [
      'a version that is not known',
      { ...signed(FIRST), 'webhook-signature': signed(FIRST)['webhook-signature'].replace('v1,', 'v2,') },
      BODY,
    ],
    ['a time that is none', { ...signed(FIRST), 'webhook-timestamp': 'now' }, BODY],
    ['an hour ago', signed(FIRST, { at: new Date(NOW - 3_600_000) }), BODY],
    ['an hour ahead', signed(FIRST, { at: new Date(NOW + 3_600_000) }), BODY],
  ])('P-UP-1 refuses %s', async (_, headers, body) => {
    await expect(verify(headers, body)).rejects.toMatchObject(untrusted);
  });

  test('P-UP-1 the tolerance is five minutes, or what is asked for', async () => {
    const late = signed(FIRST, { at: new Date(NOW - 240_000) });
    await expect(verify(late)).resolves.toMatchObject({ id: 'msg_1' });
    const strict = verifyWebhook(request(late), { secrets: [FIRST], tolerance_s: 60, now: NOW });
    await expect(strict).rejects.toMatchObject(untrusted);
  });

  test('more than a delivery can be is not read', async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const init = { method: 'POST', headers: signed(FIRST), body: endless, duplex: 'half' as const };
    const huge = new Request('https://bot.example.com/hook', init);
    await expect(verifyWebhook(huge, { secrets: [FIRST] })).rejects.toMatchObject({
      code: 'too_large',
      status: 413,
    });
  });
});

describe('the types of the SDK', () => {
  test('P-UP-2 a verified message is what the protocol delivers', async () => {
    const message: Omit<Delivery, 'extra' | 'request'> = await verify(signed(FIRST));
    expect(message).toEqual({ ...told, id: 'msg_1' });
  });

  const events: ReplyEvent[] = [
    { kind: 'chunk', text: 'a', offset: 0 },
    { kind: 'chunk', text: 'b', reasoning: true },
    {
      kind: 'tool',
      tool: 't',
      name: 'search',
      status: 'failed',
      preview: 'p',
      args: { q: 1 },
      result: 'none',
    },
    {
      kind: 'prompt',
      question: 'q',
      prompt_kind: 'choice',
      prompt: 'p',
      choices: ['a', { value: 'b', label: 'B' }],
    },
    {
      kind: 'message',
      text: 'm',
      buttons: [{ label: 'l', custom_id: 'c', emoji: 'e', style: 's' }],
      reply_to: 'r',
    },
    { kind: 'file', filename: 'f', mimetype: 'text/plain', data: 'YQ==' },
    { kind: 'done', text: 'd', usage: { input_tokens: 1 }, finish_reason: 'stop' },
    { kind: 'error', label: 'l', type: 't', message: 'm', hint: 'h' },
  ];

  test.each(events)('P-UP-4 the protocol reads $kind as the SDK writes it', (event) => {
    expect(parseOutbound({ channel: 'webchat:ada', ...event }).event).toMatchObject({ ...event });
  });
});

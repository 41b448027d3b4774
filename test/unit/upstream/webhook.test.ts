import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { sign } from '../../../src/upstream/webhook.ts';

const BODY = '{"text":"ünïcödé 漢字 😀"}';
const base64 = (fill: number) => Buffer.alloc(32, fill).toString('base64');

describe('P-UP-1 the signature', () => {
  const secrets: [string, string, Webhook][] = [
    ['whsec_ and base64', `whsec_${base64(1)}`, new Webhook(`whsec_${base64(1)}`)],
    ['base64 alone', base64(2), new Webhook(base64(2))],
    [
      'any other text',
      'not base64 at all, but long enough!',
      new Webhook('not base64 at all, but long enough!', { format: 'raw' }),
    ],
  ];

  test.each(secrets)('P-UP-1 with a secret that is %s is verified by the library', (_, secret, receiver) => {
    expect(receiver.verify(BODY, sign([secret], 'msg_1', new Date(), BODY))).toEqual(JSON.parse(BODY));
  });

  test('P-UP-1 with two secrets is verified by either, and by no third one', () => {
    const headers = sign([base64(1), base64(2)], 'msg_1', new Date(), BODY);
    for (const secret of [base64(1), base64(2)])
      expect(new Webhook(secret).verify(BODY, headers)).toEqual(JSON.parse(BODY));
    expect(() => new Webhook(base64(3)).verify(BODY, headers)).toThrow();
  });

  test('P-UP-1 is over id, time and body', () => {
    const headers = sign([base64(1)], 'msg_1', new Date(), BODY);
    const receiver = new Webhook(base64(1));
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => receiver.verify(`${BODY} `, headers)).toThrow();
    expect(() => receiver.verify(BODY, { ...headers, 'webhook-id': 'msg_2' })).toThrow();
    expect(() => receiver.verify(BODY, { ...headers, 'webhook-timestamp': later })).toThrow();
  });

  test('P-UP-1 is the one of the specification, to the byte', () => {
    const at = new Date(1_614_265_330_000);
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    // From the test vectors of Standard Webhooks.
    expect(sign(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], id, at, '{"test": 2432232314}')).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });
});

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { FakeUpstream } from './fake-upstream.ts';
import { startServer } from './server.ts';
import { complete } from './v1.ts';
import { World } from './world.ts';

/** Words that are nowhere but in what is private: none of them may be in a log. */
const canary = (what: string) => `canary-${what}-${randomUUID()}`;

interface Line {
  event: string;
  audit?: boolean;
  request?: string;
  tenant?: string;
  user?: string;
  [name: string]: unknown;
}

test('the log tells what happened, by ids, and nothing of what was said or shown', async () => {
  const upstream = await FakeUpstream.start();
  const world = new World(
    await startServer({
      env: {
        ...upstream.env,
        DEV_AUTH: 'false',
        LIMITS: JSON.stringify({ record_after_ms: 50, turn_silence_ms: 1_500 }),
      },
    }),
  );
  try {
    const secret = canary('text');
    const tenant = `t-${randomUUID()}`;
    const ada = await world.person({
      tenant,
      name: canary('name'),
      picture: `https://e.example/${canary('avatar')}`,
    });
    const boss = await world.person({ tenant, roles: ['tenant_admin'] });
    const eve = await world.person({ tenant });

    // A busy day: messages both ways, files, tools, prompts, failures.
    const tab = await world.connect(ada);
    const turn = await world.turn(tab, { text: secret });
    const { channel } = ada;
    await world.outbound([
      { tenant, channel, kind: 'chunk', turn, text: secret, reasoning: secret },
      { tenant, channel, kind: 'tool', turn, tool: 'x', name: secret, status: 'running', args: { secret } },
      { tenant, channel, kind: 'prompt', prompt: 'p', question: secret, choices: [secret] },
      { tenant, channel, kind: 'file', filename: `${secret}.txt`, data: btoa(secret) },
      { tenant, channel, kind: 'edit', id: 'none', text: secret },
      { tenant, channel, kind: 'nonsense', text: secret },
      { tenant, channel, kind: 'done', turn, text: secret },
    ]);
    await world.ndjson([`{"broken": "${secret}`, { tenant, channel, kind: 'message', text: secret }]);
    await world.as(ada, '/api/prompts/p/answer', { body: { client_id: 'a', value: secret } });
    await world.as(ada, '/api/messages', { body: `{"text": "${secret}` });
    for (const frame of [secret, { type: 'message', client_id: 'z', text: secret, reply_to: 7 }])
      tab.send(frame);
    const given_up = await world.turn(tab, { text: secret });
    const error = { type: 'model', label: secret, message: secret, hint: secret };
    await world.outbound({ tenant, channel, kind: 'error', turn: given_up, ...error });
    const silent = await world.turn(tab, { text: secret });
    await tab.frame('turn', (frame) => frame.turn === silent && frame.status === 'expired');
    upstream.answer = ({ response }) => response.writeHead(422).end(secret);
    const failed = await world.turnByHttp(ada, { text: secret });
    await tab.frame('turn', (frame) => frame.turn === failed && frame.status === 'failed');
    await (await complete(world, ada.token, { messages: [{ role: 'user', content: secret }] })).text();

    // Keys come and go; people are refused.
    const made = await world.as<{ id: string; api_key: string }>(ada, '/api/keys', {
      body: { name: canary('key name') },
    });
    const { id, api_key } = made.body;
    await world.as(
      { token: api_key },
      `/api/conversations/${encodeURIComponent(canary('conversation'))}/messages`,
    );
    await world.as(eve, `/api/keys/${id}`, { method: 'DELETE' });
    await world.as(ada, `/api/keys/${id}`, { method: 'DELETE' });
    await world.as({ token: api_key }, '/api/me');
    await world.as(boss, '/admin');
    const forged = await world.token({ sub: eve.id }, canary('a secret of the right length'));
    await world.as({ token: forged }, '/api/me');
    await world.as({ token: forged }, `/api/conversations/${canary('conversation')}/messages`);
    await world.as({ token: canary('token') }, '/internal/users');
    await world.as(ada, `/api/me?token=${ada.token}`);
    await (await world.open({ token: forged, by: 'subprotocol' })).closed;
    await tab.close();

    const lines = () =>
      world.server
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): Line => JSON.parse(line));
    const audited = () => lines().filter(({ audit }) => audit);
    const request = expect.any(String);
    // Written by another process: the last of them is waited for.
    await expect
      .poll(() => audited().filter(({ event }) => event === 'sign-in refused').length, { timeout: 10_000 })
      .toBe(5);
    expect(audited()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: 'api key created', request, tenant, user: ada.id, key_id: id }),
        expect.objectContaining({ event: 'api key revoked', request, tenant, user: ada.id, key_id: id }),
        expect.objectContaining({ event: 'admin read', request, tenant, user: boss.id }),
        expect.objectContaining({
          event: 'sign-in refused',
          request,
          code: 'unauthorized',
          route: '/api/me',
        }),
        expect.objectContaining({ event: 'sign-in refused', request, route: '/ws' }),
        expect.objectContaining({ event: 'sign-in refused', request, route: '/internal/*' }),
      ]),
    );
    await expect
      .poll(() => lines().filter(({ event }) => event === 'turn failed'), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({ tenant, user: ada.id, turn: failed, type: 'upstream_rejected' }),
      );
    expect(lines()).toContainEqual(
      expect.objectContaining({ event: 'turn failed', tenant, user: ada.id, turn: given_up, type: 'model' }),
    );
    await expect
      .poll(() => lines().filter(({ event }) => event === 'turn expired'), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({ tenant, user: ada.id, turn: silent, type: 'upstream_silent' }),
      );

    const said = world.server.output();
    expect(said).not.toContain('canary');
    const { AUTH_SECRET, INTERNAL_TOKEN, UPSTREAM_WEBHOOK_SECRET } = world.server.secrets;
    for (const one of [api_key, ada.token, forged, AUTH_SECRET, INTERNAL_TOKEN, UPSTREAM_WEBHOOK_SECRET])
      for (const part of one.split('.')) expect(said).not.toContain(part);
    expect(said).not.toContain('request failed');
  } finally {
    await world.server.stop();
    await upstream.stop();
  }
});

test('keys of the development sign-in are accounted for as well', async () => {
  const world = new World(await startServer());
  try {
    const user = randomUUID();
    const { body } = await world.http<{ api_key: string }>('/dev/api-key', { body: { user } });
    await expect
      .poll(() => world.server.output(), { timeout: 10_000 })
      .toMatch(new RegExp(`"event":"api key created".*"user":"${user}"`));
    expect(world.server.output()).not.toContain(body.api_key);
  } finally {
    await world.server.stop();
  }
});

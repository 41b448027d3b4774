import { describe, expect, test } from 'vitest';
import { refused, useWorld } from './world.ts';

const world = useWorld();

describe('P-UP-8 a bad event is told by field', () => {
  const channel = 'webchat:nobody';
  const cases: [unknown, string | undefined, number?, string?][] = [
    [7, undefined],
    [null, undefined],
    [{}, 'channel'],
    [{ channel, text: 'x' }, 'kind'],
    [{ channel, kind: 'shout' }, 'kind'],
    [{ channel, kind: 'toString' }, 'kind'],
    [{ channel: 'webchat', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'webchat:', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'email:x', kind: 'message', text: 'x' }, 'channel'],
    [{ channel: 'webchat:a\nb', kind: 'message', text: 'x' }, undefined],
    [{ channel: `webchat:${'x'.repeat(129)}`, kind: 'message', text: 'x' }, undefined],
    [{ channel: 'sse:req_unknown', kind: 'chunk', text: 'x' }, 'channel', 404, 'not_found'],
    [{ channel, tenant: 'Not A Name', kind: 'message', text: 'x' }, 'tenant'],
    [{ channel, kind: 'message', text: 7 }, 'text'],
    [{ channel, kind: 'message', text: 'x', id: 'a b' }, 'id'],
    [{ channel, kind: 'message', text: 'x', buttons: [{ label: 'x' }] }, 'buttons.0.custom_id'],
    [{ channel, kind: 'message', text: 'x', view: [] }, 'view.children'],
    [{ channel, kind: 'message', text: 'x'.repeat(1_000_001) }, 'text', 413, 'too_large'],
    [{ channel, kind: 'message', text: 'x', turn: 'turn_none' }, undefined, 404, 'not_found'],
    [{ channel, kind: 'file', data: 'eA==' }, 'filename'],
    [{ channel, kind: 'file', filename: '../a', data: 'eA==' }, 'filename'],
    [{ channel, kind: 'file', filename: 'a' }, 'data'],
    [{ channel, kind: 'file', filename: 'a', data: 'eA==', url: 'https://example.com/a' }, 'data'],
    [{ channel, kind: 'file', filename: 'a', data: 'not base64!' }, 'data'],
    [{ channel, kind: 'file', filename: 'a', data: 'eA==', mimetype: 'text' }, 'mimetype'],
    [{ channel, kind: 'edit', text: 'x' }, 'id'],
    [{ channel, kind: 'typing' }, 'active'],
    [{ channel, kind: 'chunk', text: 'x' }, 'turn'],
    [{ channel, kind: 'chunk', turn: 't', text: 'x', offset: -1 }, 'offset'],
    [{ channel, kind: 'tool', turn: 't', tool: 'x', name: 'n', status: 'maybe' }, 'status'],
    [{ channel, kind: 'prompt' }, 'question'],
    [{ channel, kind: 'prompt', question: 'x', choices: [] }, 'choices'],
    [{ channel, kind: 'prompt', question: 'x', prompt_kind: 'quiz' }, 'prompt_kind'],
    [{ channel, kind: 'prompt', question: 'x', expires_at: 1 }, 'expires_at'],
    [{ channel, kind: 'done' }, 'turn'],
    [{ channel, kind: 'error', turn: 'turn_none' }, undefined, 404, 'not_found'],
    [{ channel, kind: 'turn', id: 'no spaces' }, 'id'],
  ];
  test.each(cases)('%j', async (event, field, status = 400, code = 'bad_request') => {
    const reply = await world().outbound(event);
    expect(reply).toMatchObject(refused(status, code, field));
    expect(reply.body.results).toMatchObject([{ delivered: false, error: { code } }]);
  });

  test.each(['', 'hello', '{"channel":', '{"a":1}\n{"b":2}'])('a body %j is bad_request', async (body) => {
    const headers = { 'content-type': 'application/json' };
    expect(await world().internal('/outbound', { method: 'POST', body, headers })).toMatchObject(
      refused(400, 'bad_request'),
    );
  });
});

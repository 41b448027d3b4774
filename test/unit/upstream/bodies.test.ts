import { expect, test } from 'vitest';
import { delivery } from '../../../src/protocol/delivery.ts';
import { bodyOf } from '../../../src/upstream/bodies.ts';

const USER = '11111111-1111-4111-8111-111111111111';
const TENANT = '22222222-2222-4222-8222-222222222222';
const CONVERSATION = '33333333-3333-4333-8333-333333333333';

const sent = delivery({
  ...{ type: 'message', tenant: TENANT, channel_id: `webchat:${USER}`, conversation: CONVERSATION },
  ...{ turn: 'turn_1', seq: 7, message_id: 'msg_1', user_id: USER, user_name: USER, avatar: '' },
  ...{ text: 'Hello', timestamp: 1_767_225_600.5, extra: { agent_id: 'a1', display_name: 'Ada' } },
});

test('P-UP-2 the contract’s body is the delivery itself', () => {
  expect(bodyOf('starwire', sent)).toBe(sent);
});

test('UPSTREAM_BODY=konstruct: the normalised message, what its workers take besides, and the turn to answer to', () => {
  expect(bodyOf('konstruct', sent)).toEqual({
    id: 'msg_1',
    tenant_id: TENANT,
    channel: 'web',
    channel_metadata: { portal_user_id: USER, tenant_id: TENANT, conversation_id: CONVERSATION },
    sender: { user_id: USER, display_name: 'Ada' },
    content: { text: 'Hello' },
    timestamp: '2026-01-01T00:00:00.500Z',
    thread_id: CONVERSATION,
    reply_to: null,
    context: {
      ...{ agent_id: 'a1', display_name: 'Ada', type: 'message', turn: 'turn_1', seq: 7, attachments: [] },
      channel_id: `webchat:${USER}`,
    },
    conversation_id: CONVERSATION,
    portal_user_id: USER,
  });
});

test('UPSTREAM_BODY=konstruct: the verified name goes before the one the client says; without either, the original’s', () => {
  expect(bodyOf('konstruct', { ...sent, user_name: 'Ada Lovelace' })).toMatchObject({
    sender: { display_name: 'Ada Lovelace' },
  });
  expect(bodyOf('konstruct', { ...sent, extra: {} })).toMatchObject({
    sender: { display_name: 'Portal User' },
  });
});

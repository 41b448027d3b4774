/**
 * Every route, and who may use it. `test/workerd/surfaces.test.ts` holds the table and the app together: a new route is in
 * here or a test fails, and what is in here is tried with every bad token and by every stranger.
 */
export interface Surface {
  /**
   * `user`: a user token or an API key; `person`: a user token; `roles`: a token with a role, or a tenant's key; `internal`: the
   * upstream; `socket`: a user token in the handshake; `first frame`: in the handshake or in the first frame.
   */
  who: 'anyone' | 'development' | 'user' | 'person' | 'roles' | 'internal' | 'socket' | 'first frame';
  /** Refusals are in the words of its dialect: `error` is the sentence, and `code` stands beside it. */
  flat?: true;
  /** Its answer does not end by itself. */
  endless?: true;
  /** It takes the id of something that belongs to somebody: in its path, its query or its body. */
  ids?: true;
}

const user: Surface = { who: 'user' };
const theirs: Surface = { who: 'user', ids: true };
const internal: Surface = { who: 'internal' };
const hermes: Surface = { ...user, flat: true };
const theirHermes: Surface = { ...theirs, flat: true };

export const SURFACES: Record<string, Surface> = {
  'GET /*': { who: 'anyone' },
  'GET /healthz': { who: 'anyone' },
  'GET /settings.json': { who: 'anyone' },
  'GET /new': { who: 'anyone' },
  'GET /c/:conversation': { who: 'anyone' },
  'POST /dev/token': { who: 'development' },
  'POST /dev/api-key': { who: 'development' },
  'POST /dev/outbound': { who: 'development' },

  'GET /ws': { who: 'socket' },
  'GET /chat/ws/:conversation_id': { who: 'first frame' },

  'GET /api/me': user,
  'GET /api/events': { ...theirs, endless: true },
  'POST /api/messages': theirs,
  'POST /api/actions': theirs,
  'POST /api/prompts/:prompt/answer': theirs,
  'POST /api/turns/:turn/cancel': theirs,
  'POST /api/turns/:turn/regenerate': theirs,
  'GET /api/conversations': user,
  'POST /api/conversations': user,
  'PATCH /api/conversations/:id': theirs,
  'DELETE /api/conversations/:id': theirs,
  'GET /api/conversations/:id/messages': theirs,
  'GET /api/search': user,
  'GET /api/export': user,
  'DELETE /api/me': user,
  'POST /api/files': user,
  'GET /api/files/:id': theirs,
  'GET /files/:id/:filename': theirs,
  'GET /api/keys': { who: 'person' },
  'POST /api/keys': { who: 'person' },
  'DELETE /api/keys/:id': { who: 'person', ids: true },

  'GET /api/portal/chat/conversations': theirs,
  'POST /api/portal/chat/conversations': theirs,
  'GET /api/portal/chat/conversations/:id/messages': theirs,
  'DELETE /api/portal/chat/conversations/:id': theirs,

  'GET /api/v1/chat/:flow_id': { who: 'socket' },
  'GET /api/v1/assistant/chat/:assistant_id': { who: 'socket' },
  'GET /api/v1/workflow/chat/:workflow_id': { who: 'socket' },
  'GET /api/v1/chat/history': theirs,
  'GET /api/v1/chat/list': user,
  'GET /api/v1/chat/info': theirs,
  'GET /api/v1/session/chat/messages/:chat_id': theirs,
  'POST /api/v1/chat/conversation/rename': theirs,
  'DELETE /api/v1/chat/:chat_id': theirs,
  'POST /api/v1/liked': theirs,
  'POST /api/v1/chat/copied': theirs,
  'POST /api/v1/chat/comment': theirs,
  'POST /api/v1/session/chat/message/telemetry': theirs,

  'POST /api/chat/start': theirHermes,
  'GET /api/chat/stream': theirHermes,
  'GET /api/chat/stream/status': theirHermes,
  'GET /api/chat/cancel': theirHermes,
  'POST /api/chat/cancel': theirHermes,
  'POST /api/chat/steer': theirHermes,
  'GET /api/chat/runs': hermes,
  'GET /api/approval/pending': theirHermes,
  'GET /api/approval/stream': theirHermes,
  'POST /api/approval/respond': theirHermes,
  'GET /api/clarify/pending': theirHermes,
  'GET /api/clarify/stream': theirHermes,
  'POST /api/clarify/respond': theirHermes,
  'GET /api/session': theirHermes,
  'GET /api/session/stream': theirHermes,
  'POST /api/session/new': hermes,
  'POST /api/session/rename': theirHermes,
  'POST /api/session/delete': theirHermes,
  'GET /api/session/status': theirHermes,
  'GET /api/session/usage': theirHermes,
  'GET /api/session/export': theirHermes,
  'GET /api/sessions': hermes,
  'GET /api/sessions/events': { ...hermes, endless: true },
  'GET /api/sessions/:id/events': theirHermes,
  'GET /api/health/agent': hermes,

  'GET /v1/models': user,
  'POST /v1/chat/completions': theirs,
  'GET /v1/streams/:request_id': theirs,

  'GET /admin': { who: 'roles', ids: true },
  'GET /metrics': { who: 'roles', ids: true },

  'POST /internal/outbound': internal,
  'GET /internal/turns/:turn': internal,
  'GET /internal/users': internal,
  'GET /internal/users/:id': internal,
  'DELETE /internal/users/:id/sessions': internal,
  'GET /internal/platform': internal,
  'POST /internal/platform/start': internal,
  'POST /internal/platform/stop': internal,
  'GET /internal/history': internal,
  'GET /internal/api-keys': internal,
  'POST /internal/api-keys': internal,
  'DELETE /internal/api-keys/:id': internal,
  'GET /internal/tenants': internal,
  'GET /internal/tenants/:tenant': internal,
  'PUT /internal/tenants/:tenant': internal,
  'DELETE /internal/tenants/:tenant': internal,
  'POST /internal/tenants/:tenant/webhook-secret': internal,
  'POST /internal/tenants/reseal': internal,
};

/** The names of the surfaces of which something is true. */
export function surfaces(where: (surface: Surface) => boolean): string[] {
  return Object.keys(SURFACES).filter((name) => where(SURFACES[name] as Surface));
}

/** What a surface refuses with, in our own words. */
export function refusalOf(name: string, body: object): object {
  if (!SURFACES[name]?.flat || !('error' in body)) return body;
  const { error: message, ...details } = body;
  return { error: { message, ...details } };
}

/** Method and path of a surface, each parameter filled in. */
export function addressOf(name: string, fill = 'x'): { method: string; path: string } {
  const [method = '', route = ''] = name.split(' ');
  return { method, path: route.replaceAll(/:\w+/g, encodeURIComponent(fill)) };
}

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
  /** It takes the id of something that belongs to somebody: in its path, its query or its body. */
  ids?: true;
}

const user: Surface = { who: 'user' };
const theirs: Surface = { who: 'user', ids: true };
const internal: Surface = { who: 'internal' };

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
  'GET /api/events': theirs,
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

/** Method and path of a surface, each parameter filled in. */
export function addressOf(name: string, fill = 'x'): { method: string; path: string } {
  const [method = '', route = ''] = name.split(' ');
  return { method, path: route.replaceAll(/:\w+/g, encodeURIComponent(fill)) };
}

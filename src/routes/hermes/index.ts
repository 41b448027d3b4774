import { Hono } from 'hono';
import { type AppEnv, type Ctx, use } from '../app.ts';
import type { Surface } from '../dialects.ts';
import { callerOf, hermesRefusal } from './answers.ts';
import { chat } from './chat.ts';
import { approvals, clarifications } from './prompts.ts';
import { listStream, runsStream, sessionStream } from './session-streams.ts';
import { list, session } from './sessions.ts';

const routes = new Hono<AppEnv>();

/** The Hermes web UI: all of it over HTTP and SSE. */
export const hermes: Surface = { http: { at: '/api', routes } };

routes.route('/chat', chat);
routes.route('/approval', approvals);
routes.route('/clarify', clarifications);
routes.get('/session/stream', sessionStream);
routes.route('/session', session);
routes.get('/sessions', list);
routes.get('/sessions/events', listStream);
routes.get('/sessions/:id/events', runsStream);
routes.get('/health/agent', backend);

/** How the gateway is configured, without a word of its secrets. */
async function backend(c: Ctx): Promise<Response> {
  const { tenant } = await callerOf(c);
  const { config, tenants } = use(c);
  const own = await tenants.upstreamOf(tenant);
  const { mode, url, api_key } = own ? await tenants.open(tenant, own) : config.upstream;
  const enabled = mode === 'openai';
  return c.json({
    alive: true,
    gateway_chat: {
      ...{ enabled, backend: enabled ? 'gateway' : 'legacy' },
      ...{ base_url_configured: url !== undefined, api_key_configured: api_key !== undefined },
    },
  });
}

routes.onError(hermesRefusal);

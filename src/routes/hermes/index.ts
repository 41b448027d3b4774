import { Hono } from 'hono';
import { type AppEnv, type Ctx, use } from '../app.ts';
import { callerOf, hermesRefusal } from './answers.ts';
import { chat } from './chat.ts';
import { approvals, clarifications } from './prompts.ts';
import { listStream, runsStream, sessionStream } from './session-streams.ts';
import { list, session } from './sessions.ts';

/** What the Hermes web UI asks for, under `/api`. */
export const hermes = new Hono<AppEnv>();

hermes.route('/chat', chat);
hermes.route('/approval', approvals);
hermes.route('/clarify', clarifications);
hermes.get('/session/stream', sessionStream);
hermes.route('/session', session);
hermes.get('/sessions', list);
hermes.get('/sessions/events', listStream);
hermes.get('/sessions/:id/events', runsStream);
hermes.get('/health/agent', backend);

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

hermes.onError(hermesRefusal);

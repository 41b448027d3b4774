import { startServer } from '../../integration/server.ts';
import type { StartOptions, System } from './system.ts';

/** As `npm start` runs it: the production bundle in workerd, everything durable. */
export const starwire: System = {
  name: 'starwire',
  title: 'Starwire',
  async start({ upstream, limits = {} }: StartOptions = {}) {
    const server = await startServer({
      env: {
        LIMITS: JSON.stringify(limits),
        ...(upstream === undefined
          ? { UPSTREAM_MODE: 'demo' }
          : { UPSTREAM_MODE: 'openai', UPSTREAM_URL: upstream, UPSTREAM_API_KEY: 'key-of-upstream' }),
      },
    });
    return {
      place: {
        system: 'starwire',
        port: server.port,
        auth_secret: server.secrets.AUTH_SECRET,
        internal_token: server.secrets.INTERNAL_TOKEN,
      },
      roots: [server.pid],
      output: () => server.output(),
      stop: () => server.stop(),
    };
  },
};

import { contextOf, type Env } from './env.ts';
import { log } from './protocol/log.ts';
import { appOf } from './routes/root.ts';
import * as spoken from './routes/spoken.ts';

export { Admissions } from './objects/admissions.ts';
export { Directory } from './objects/directory.ts';
export { RequestStream } from './objects/request-stream.ts';
export { UserHub } from './objects/user-hub.ts';
export type { Env };

const app = appOf(spoken);

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    // P-OA-2: a doubled slash in the path, as clients make it that join base and path carelessly.
    if (!url.pathname.startsWith('//') && !url.pathname.includes('//')) return app.fetch(request, env, ctx);
    url.pathname = url.pathname.replaceAll(/\/{2,}/g, '/');
    return app.fetch(new Request(url, request), env, ctx);
  },

  /** Every now and then: `triggers` in wrangler.toml, and `npm start`. */
  async scheduled(_, env): Promise<void> {
    const removed = await contextOf(env).files.sweep();
    if (removed > 0) log('info', 'files that no message uses are gone', { removed });
  },
} satisfies ExportedHandler<Env>;

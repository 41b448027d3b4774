/** How the Hermes web UI is told to speak to a gateway; any other word, `true` and `1` among them, is none. */
const BACKENDS = new Set(['gateway', 'api_server', 'api-server']);
const BASE_URL = 'http://127.0.0.1:8642';

/** The variables of a deployment of the Hermes web UI as ours; none where it has no gateway. */
export function hermesVariables(read: (name: string) => string | undefined): Record<string, string> {
  const backend = read('HERMES_WEBUI_CHAT_BACKEND')?.trim().toLowerCase() ?? '';
  if (!BACKENDS.has(backend)) return {};
  const base = read('HERMES_WEBUI_GATEWAY_BASE_URL')?.trim().replace(/\/+$/, '') || BASE_URL;
  const key = (read('HERMES_WEBUI_GATEWAY_API_KEY') ?? read('API_SERVER_KEY') ?? '').trim();
  return {
    UPSTREAM_MODE: 'openai',
    UPSTREAM_URL: `${base}/v1`,
    ...(key === '' ? {} : { UPSTREAM_API_KEY: key }),
  };
}

/**
 * Masks secrets in what leaves the gateway as an error, a log line or a tool frame (P-BR-5); never in assistant text. A mask
 * keeps the ends of a long secret, so that its owner can tell which one it was.
 */

/** Beginnings of well-known API keys, followed by ten or more characters of a key. */
const PREFIXES = [
  'sk-',
  'sk_live_',
  'sk_test_',
  'rk_live_',
  'sk_',
  'pk_live_',
  'ghp_',
  'gho_',
  'ghu_',
  'ghs_',
  'ghr_',
  'github_pat_',
  'glpat-',
  'xox[abeoprs]-',
  'xapp-',
  'AIza',
  'ya29\\.',
  'pplx-',
  'fal_',
  'fc-',
  'bb_live_',
  'gAAAA',
  'SG\\.',
  'hf_',
  'r8_',
  'npm_',
  'pypi-',
  'dop_v1_',
  'doo_v1_',
  'dckr_pat_',
  'am_',
  'tvly-',
  'exa_',
  'gsk_',
  'xai-',
  'syt_',
  'retaindb_',
  'hsk-',
  'mem0_',
  'brv_',
  'lin_api_',
  'shpat_',
  'whsec_',
  'AGE-SECRET-KEY-',
];

const PATTERNS: readonly [RegExp, (match: string, ...groups: string[]) => string][] = [
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    () => '[REDACTED PRIVATE KEY]',
  ],
  // Three parts of base64url, the first of which is a JSON object.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, mask],
  [new RegExp(`(?<![A-Za-z0-9_-])(?:${PREFIXES.join('|')})[A-Za-z0-9_.-]{10,}`, 'g'), mask],
  [/(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g, mask],
  [
    /\b((?:Bearer|Bot|Basic|Token)\s+)([\w.~+/=-]{8,})/gi,
    (_, scheme = '', secret = '') => `${scheme}${mask(secret)}`,
  ],
  // NAME_TOKEN=value, "apiKey": "value", password: value.
  [
    /((?:[\w-]*(?:api[_-]?key|token|secret|passw(?:or)?d|credential|private[_-]?key|auth)[\w-]*)["']?\s*[=:]\s*["']?)([^\s"',;&}]{6,})/gi,
    (match, name = '', value = '') =>
      /[A-Za-z0-9]/.test(value) && !isScheme(value) ? `${name}${mask(value)}` : match,
  ],
  // A password inside a URL.
  [
    /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:)([^\s@/]+)(@)/gi,
    (_, head = '', secret = '', at = '') => `${head}${mask(secret)}${at}`,
  ],
];

/** What a pattern before it has dealt with. */
function isScheme(value: string): boolean {
  return /^(?:bearer|bot|basic|token)$/i.test(value) || value.includes('...') || value === '***';
}

/** The ends of a long secret; nothing of a short one. */
function mask(secret: string): string {
  return secret.length >= 18 ? `${secret.slice(0, 6)}...${secret.slice(-4)}` : '***';
}

export function redact(text: string): string {
  let clean = text;
  for (const [pattern, replace] of PATTERNS) clean = clean.replace(pattern, replace);
  return clean;
}

/** The same for every string inside a JSON value. */
export function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      typeof one === 'string' ? redactField(name, one) : redactValue(one),
    ]),
  );
}

/** A field whose name says that it is a secret is one, whatever it looks like. */
function redactField(name: string, value: string): string {
  const line = `${name}=${value}`;
  const clean = redact(line);
  return clean.startsWith(`${name}=`) && !value.includes('=') ? clean.slice(name.length + 1) : redact(value);
}

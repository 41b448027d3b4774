/**
 * Masks secrets in what leaves the gateway as an error, a log line or a tool frame (P-BR-5); never in assistant text. A mask
 * keeps the ends of a long secret, so that its owner can tell which one it was.
 */

/** Beginnings of well-known API keys, followed by ten or more characters of a key. */
const PREFIXES = [
  ...['sk-', 'sk_live_', 'sk_test_', 'sk_', 'rk_live_', 'rk_test_', 'pk_live_'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'glrt-', 'gldt-', 'ATATT3', 'ATBB'],
  ...['xox[abeoprs]-', 'xapp-', 'AIza', 'ya29\\.', 'GOCSPX-', '1//0'],
  ...['pplx-', 'fal_', 'fc-', 'bb_live_', 'gAAAA', 'SG\\.', 'hf_', 'r8_', 'npm_', 'pypi-', 'rubygems_'],
  ...['dop_v1_', 'doo_v1_', 'dor_v1_', 'dckr_pat_', 'dckr_oat_', 'dp\\.(?:pt|st|ct|sa)\\.'],
  ...['am_', 'tvly-', 'exa_', 'gsk_', 'xai-', 'syt_', 'retaindb_', 'hsk-', 'mem0_', 'brv_'],
  ...['lin_api_', 'shpat_', 'shpss_', 'whsec_', 'hvs\\.', 'hvb\\.', 'glsa_', 'glc_'],
  ...['nvapi-', 'ntn_', 'sbp_', 'figd_', 'pcsk_', 'csk-', 'lsv2_pt_', 'tskey-', 'pscale_tkn_'],
  ...['PMAK-', 'NRAK-', 'HRKU-', 'sq0[a-z]{3}-', 'pat-[a-z]{2}\\d-', 'pul-', 'AGE-SECRET-KEY-'],
];

/** Names of secrets, as parts of longer names; `author`, `tokenizer` and counts of tokens are none. */
const NAME =
  '(?:[Aa]pi[_-]?[Kk]ey|API[_-]?KEY|(?:[Aa]ccess|[Aa]ccount|ACCESS|ACCOUNT)[_-]?(?:[Kk]ey|KEY)|[Tt]oken|TOKEN|[Ss]ecret|SECRET|' +
  '[Pp]assw(?:or)?d|PASSW(?:OR)?D|[Pp]assphrase|PASSPHRASE|[Cc]redential|CREDENTIAL|[Pp]rivate[_-]?[Kk]ey|PRIVATE[_-]?KEY|' +
  '[Aa]uth(?:orization)?|AUTH(?:ORIZATION)?|(?:[Ss]et-)?[Cc]ookie)(?![a-z]|OR)' +
  '(?![_-]?(?:[Cc]ount|[Ll]imit|[Tt]ype|[Uu]r[li]|[Uu]sage|[Nn]ame|[Ee]ndpoint|COUNT|LIMIT|TYPE|UR[LI]|NAME|ENDPOINT))[\\w-]{0,40}';

// Nothing here may take quadratic time: arguments of tools are long, and runs of one kind of letter are usual in them.
const PATTERNS: readonly [RegExp, (match: string, ...groups: string[]) => string][] = [
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    () => '[REDACTED PRIVATE KEY]',
  ],
  // Three parts of base64url, the first of which is a JSON object.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, mask],
  [new RegExp(`(?<![A-Za-z0-9_-])(?:${PREFIXES.join('|')})[A-Za-z0-9_.-]{10,}`, 'g'), mask],
  [/(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g, mask],
  // Twilio, Mailgun, Databricks; Telegram and Discord bots.
  [/(?<![\w-])(?:SK|key-|dapi)[0-9a-f]{32}(?![\w-])/g, mask],
  [/(?<![\w-])\d{8,10}:[\w-]{35}(?![\w-])/g, mask],
  [/(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])/g, mask],
  // Addresses that are secrets themselves.
  [
    /\b(https:\/\/(?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/)([\w/-]{8,})/g,
    (_, head = '', secret = '') => `${head}${mask(secret)}`,
  ],
  [
    /\b((?:Bearer|Bot|Basic|Token)\s+)([\w.~+/=-]{8,})/gi,
    (match, scheme = '', secret = '') => (isWord(secret) ? match : `${scheme}${mask(secret)}`),
  ],
  // "apiKey": "value with spaces", also inside JSON inside JSON.
  [
    new RegExp(`(${NAME}\\\\*["']?\\s*[=:]\\s*\\\\*)(["'])([^"'\\\\]{4,})`, 'g'),
    (match, name = '', quote = '', value = '') => (isScheme(value) ? match : `${name}${quote}${mask(value)}`),
  ],
  // NAME_TOKEN=value, password: value.
  [
    new RegExp(`(${NAME}\\s*[=:]\\s*)([^\\s"',;&}\\\\]{6,})`, 'g'),
    (match, name = '', value = '') =>
      /[A-Za-z0-9]/.test(value) && !isScheme(value) ? `${name}${mask(value)}` : match,
  ],
  // --token value, -u name:password.
  [
    new RegExp(`(--[\\w-]{0,40}?${NAME}\\s+["']?)([^\\s"'\\\\-][^\\s"'\\\\]{3,})`, 'g'),
    (match, name = '', value = '') => (isScheme(value) ? match : `${name}${mask(value)}`),
  ],
  [
    /((?:\s|^)(?:-u|--user)[= ]["']?[^\s:"']{1,64}:)([^\s"']+)/g,
    (_, head = '', value = '') => head + mask(value),
  ],
  // A password inside a URL.
  [
    /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@]*:)([^\s@/]+)(@)/gi,
    (_, head = '', secret = '', at = '') => `${head}${mask(secret)}${at}`,
  ],
];

/** What a pattern before it has dealt with. */
function isScheme(value: string): boolean {
  return /^(?:bearer|bot|basic|token)(?:\s|$)/i.test(value) || isMasked(value);
}

/** "Bearer authentication", "invalid token received": a word of prose, of one kind of letters. */
function isWord(value: string): boolean {
  return /^[A-Z]?[a-z]{1,15}[.]?$/.test(value);
}

function isMasked(value: string): boolean {
  return value === '***' || /^.{6}\.\.\..{4}$/s.test(value);
}

/** The ends of a long secret; nothing of a short one. What is masked stays as it is. */
function mask(secret: string): string {
  if (isMasked(secret)) return secret;
  return secret.length >= 18 ? `${secret.slice(0, 6)}...${secret.slice(-4)}` : '***';
}

export function redact(text: string): string {
  let clean = text;
  for (const [pattern, replace] of PATTERNS) clean = clean.replace(pattern, replace);
  return clean;
}

/** Deeper than anything that is shown, and far from what a stack can hold. */
const DEPTH = 200;

/** The same for every string inside a JSON value, the names of its fields included. */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH) return '…';
  const clean = (one: unknown, isSecret: boolean) =>
    isSecret ? masked(one, depth + 1) : redactValue(one, depth + 1);
  if (Array.isArray(value)) return value.map((one, i) => clean(one, isNamed(value, i)));
  const named = isPairOfSecret(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      redact(name),
      clean(one, SECRET_NAME.test(name) || (named && name === 'value')),
    ]),
  );
}

const SECRET_NAME = new RegExp(`${NAME}$`);

/** `["x-api-key", "value"]`, and `--token` before its value in a list of arguments. */
function isNamed(list: readonly unknown[], i: number): boolean {
  const name = list[i - 1];
  if (typeof name !== 'string' || !SECRET_NAME.test(name)) return false;
  return list.length === 2 || /^--?\w[\w-]*$/.test(name);
}

/** `{name: "API_KEY", value: "…"}`, as lists of variables and headers are written. */
function isPairOfSecret(fields: object): boolean {
  return ['name', 'key', 'header', 'variable', 'field'].some((label) => {
    const name: unknown = Reflect.get(fields, label);
    return typeof name === 'string' && SECRET_NAME.test(name);
  });
}

/** What is named as a secret is one, whatever it looks like; but for the scheme before it. */
function masked(value: unknown, depth: number): unknown {
  if (Array.isArray(value) && depth < DEPTH) return value.map((one) => masked(one, depth + 1));
  if (typeof value !== 'string' || value === '') return redactValue(value, depth);
  const [, scheme = '', secret = ''] = /^((?:(?:Bearer|Bot|Basic|Token)\s+)?)(.*)$/is.exec(value) ?? [];
  return scheme + mask(secret);
}

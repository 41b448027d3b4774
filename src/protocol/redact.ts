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
  'hvs\\.',
  'glsa_',
  'nvapi-',
  'ntn_',
  'sbp_',
  'shpss_',
  'figd_',
  'pcsk_',
  'csk-',
  'lsv2_pt_',
  'tskey-',
  'AGE-SECRET-KEY-',
];

/** Names of secrets, as parts of longer names; `author`, `tokenizer` and counts of tokens are none. */
const NAME =
  '(?:[Aa]pi[_-]?[Kk]ey|API[_-]?KEY|(?:[Aa]ccess|[Aa]ccount|ACCESS|ACCOUNT)[_-]?(?:[Kk]ey|KEY)|[Tt]oken|TOKEN|[Ss]ecret|SECRET|' +
  '[Pp]assw(?:or)?d|PASSW(?:OR)?D|[Pp]assphrase|PASSPHRASE|[Cc]redential|CREDENTIAL|[Pp]rivate[_-]?[Kk]ey|PRIVATE[_-]?KEY|' +
  '[Aa]uth(?:orization)?|AUTH(?:ORIZATION)?)(?![a-z])(?![_-]?(?:[Cc]ount|[Ll]imit|[Tt]ype|[Uu]rl|[Uu]sage|COUNT|LIMIT|TYPE|URL))[\\w-]{0,40}';

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

const SECRET_NAME = new RegExp(`${NAME}$`);

/** A field whose name says that it is a secret is one, whatever it looks like; but for the scheme before it. */
function redactField(name: string, value: string): string {
  const clean = redact(value);
  return clean === value && value !== '' && SECRET_NAME.test(name) ? mask(value) : clean;
}

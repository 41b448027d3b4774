import { describe, expect, test } from 'vitest';
import { redact, redactValue } from '../../../src/protocol/redact.ts';

/** Letters that are nobody's key; put together here, lest a scanner take the file for a leak. */
const RANDOM = 'q7Zk2Vb9Xw4Lm8Tn5Rc1Yp6Hs3Jd0GfA';

const PREFIXED = [
  ...['sk-', 'sk-proj-', 'sk-ant-api03-', 'sk-or-v1-', 'sk-sw-', 'sk_live_', 'sk_test_', 'rk_live_'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'xoxb-', 'xoxp-', 'xapp-'],
  ...['AIza', 'ya29.', 'pplx-', 'SG.', 'hf_', 'r8_', 'npm_', 'pypi-', 'dop_v1_', 'dckr_pat_', 'tvly-'],
  ...['gsk_', 'xai-', 'lin_api_', 'shpat_', 'whsec_', 'hvs.', 'glsa_', 'nvapi-', 'figd_', 'AGE-SECRET-KEY-'],
].map((prefix) => prefix + RANDOM);

const SHAPES = [
  ...PREFIXED,
  `Authorization: Bearer ${RANDOM}`,
  `Authorization: Basic ${RANDOM}==`,
  `OPENAI_API_KEY=${RANDOM}`,
  `export DB_PASSWORD='${RANDOM}'`,
  `{"client_secret": "${RANDOM}=="}`,
  JSON.stringify({ output: JSON.stringify({ apiKey: RANDOM }) }),
  `AccountKey=${RANDOM};EndpointSuffix=core`,
  `https://api.example.org/?access_token=${RANDOM}&x=1`,
  `postgres://ada:${RANDOM}@db/main`,
  `redis://:${RANDOM}@cache`,
  `-----BEGIN RSA PRIVATE KEY-----\n${RANDOM}\n-----END RSA PRIVATE KEY-----`,
  `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${RANDOM}`,
  `eyJ${RANDOM}.eyJ${RANDOM}.${RANDOM}`,
  `deploy --api-token ${RANDOM} --force`,
  `curl -u ada:${RANDOM} https://example.org`,
  `https://hooks.slack.com/services/T0/B0/${RANDOM}`,
  `Set-Cookie: sid=${RANDOM}; Path=/`,
];

/** Whether more of it than a mask keeps can be read. */
const shows = (text: string): boolean => text.includes(RANDOM.slice(6, 18));

describe('P-BR-5 what is masked', () => {
  test.each(SHAPES)('P-BR-5 %s', (secret) => {
    expect(shows(redact(`It said: ${secret} and no more.`))).toBe(false);
    expect(shows(JSON.stringify(redactValue({ cmd: [`run ${secret}`] })))).toBe(false);
  });

  test('P-BR-5 a field that is named as a secret is masked whole, whatever it looks like', () => {
    const fields = {
      password: 'correct horse battery',
      client_secret: 'c2VjcmV0IHNlY3JldA==',
      apiKey: '1234',
    };
    expect(Object.values(redactValue(fields) as object).join(' ')).not.toMatch(/horse|ZWNyZX|1234/);
  });

  test.each<[string, unknown]>([
    ['a name of a field', { [`sk-${RANDOM}`]: 1 }],
    ['a name and its value apart', { env: [{ name: 'MY_API_KEY', value: RANDOM }] }],
    ['a header of a list', { headers: [['X-Api-Key', RANDOM]] }],
    ['an argument behind its option', ['deploy', '--token', RANDOM, '--force']],
    ['several under one name', { secrets: 1, api_key: [RANDOM, `Bearer ${RANDOM}`] }],
    ['a secret that is part of a field of secrets', { password: `${RANDOM} sk-${RANDOM} ${RANDOM}` }],
  ])('P-BR-5 %s', (_, value) => {
    const clean = redactValue(value);
    expect(shows(JSON.stringify(clean))).toBe(false);
    expect(redactValue(clean)).toEqual(clean);
  });

  test('P-BR-5 what is not secret stays as it was', () => {
    const plain = {
      name: 'deploy',
      value: 'long enough to be masked if it were named so',
      token_count: 'none of it, really, at all',
      list: ['--verbose', 'a value that is long enough', 1, null, true],
      nested: { author: 'somebody with a long name' },
    };
    expect(redactValue(plain)).toEqual(plain);
  });

  test.each(SHAPES)('P-BR-5 masked twice is masked once: %s', (secret) => {
    const once = redact(secret);
    expect(redact(once)).toBe(once);
  });
});

const PLAIN = [
  'The task-force met, and the risk-assessment-group too.',
  'author: Stephen King, authority: example.com',
  'token count: 12, max_tokens: 128000, token_limit=100000, tokenizer: cl100k_base',
  'Invalid token received; Bearer authentication required; a basic understanding.',
  'id 0192f3a4-7c1e-7b2a-9d55-3f1f6a0c9e21',
  'commit 9fceb02d0ae598e95dc970b74767f19372d61af8',
  'https://example.org:8443/path?page=2 and http://user@example.org/',
  'The secretary: Margaret. A password is needed.',
];

test.each(PLAIN)('P-BR-5 leaves alone: %s', (text) => {
  expect(redact(text)).toBe(text);
});

test.each(['a', 'a.', 'eyJaaaa-', 'token', 'sk-a', 'Bearer ', '://a:'])(
  'P-BR-5 long arguments of %j are read to their end, whatever they repeat',
  (unit) => {
    const secret = 'sk-proj-0123456789abcdefghij';
    const clean = redact(`${unit.repeat(200_000 / unit.length)} ${secret}`);
    expect(clean).not.toContain(secret);
  },
);

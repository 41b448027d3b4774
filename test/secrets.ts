/** Shapes of secrets, as canaries (P-BR-5). */

/** Letters that are nobody's key; put together here, lest a scanner take the file for a leak. */
export const RANDOM = 'q7Zk2Vb9Xw4Lm8Tn5Rc1Yp6Hs3Jd0GfA';

const PREFIXED = [
  ...['sk-', 'sk-proj-', 'sk-ant-api03-', 'sk-or-v1-', 'sk-sw-', 'sk_live_', 'sk_test_', 'rk_live_'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'xoxb-', 'xoxp-', 'xapp-'],
  ...['AIza', 'ya29.', 'pplx-', 'SG.', 'hf_', 'r8_', 'npm_', 'pypi-', 'dop_v1_', 'dckr_pat_', 'tvly-'],
  ...['gsk_', 'xai-', 'lin_api_', 'shpat_', 'whsec_', 'hvs.', 'glsa_', 'nvapi-', 'figd_', 'AGE-SECRET-KEY-'],
].map((prefix) => prefix + RANDOM);

export const SHAPES = [
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
export const shows = (text: string): boolean => text.includes(RANDOM.slice(6, 18));

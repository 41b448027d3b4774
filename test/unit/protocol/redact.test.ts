import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../src/protocol/parse.ts';
import { redact, redactValue } from '../../../src/protocol/redact.ts';
import { RANDOM, SHAPES, shows } from '../../secrets.ts';

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

test.each([
  ...[
    'a',
    'a.',
    'eyJaaaa-',
    'token',
    'sk-a',
    'Bearer ',
    '://a:',
    '-',
    '--token ',
    ' -u a:',
    ' -u ',
    'M',
    '1:',
  ],
  ...['key-', 'SK0', 'https://hooks.slack.com/services/', 'Cookie', '--a', 'http', 'a:'],
])('P-BR-5 long arguments of %j are read to their end, whatever they repeat', (unit) => {
  const secret = 'sk-proj-0123456789abcdefghij';
  const clean = redact(`${unit.repeat(200_000 / unit.length)} ${secret}`);
  expect(clean).not.toContain(secret);
});

test('P-BR-5 a refusal that repeats what it got repeats no secret', () => {
  const secret = 'sk-proj-0123456789abcdefghij';
  expect(() => parse(v.object({ kind: v.literal('text') }), { kind: secret })).toThrow(/^(?!.*456789)"kind"/);
});

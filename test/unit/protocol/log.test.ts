import { afterEach, expect, test, vi } from 'vitest';
import { log } from '../../../src/protocol/log.ts';

const lines = (level: 'info' | 'warn' | 'error'): string[] => {
  const said: string[] = [];
  vi.spyOn(console, level).mockImplementation((line: string) => said.push(line));
  return said;
};
afterEach(() => vi.restoreAllMocks());

test('P-BR-5 a log line is one line of JSON with its level, its event and its ids', () => {
  const said = lines('warn');
  log('warn', 'stream interrupted', { request: 'req_1', tenant: 'acme', user: 'ada', turn: undefined });
  expect(said).toEqual([
    '{"level":"warn","event":"stream interrupted","request":"req_1","tenant":"acme","user":"ada"}',
  ]);
});

test('P-BR-5 secrets are masked in fields, in errors and in their stacks', () => {
  const said = lines('error');
  const secret = 'sk-proj-0123456789abcdefghij';
  const fields = { about: { [secret]: [`key ${secret}`] }, password: 'correct horse' };
  log('error', 'request failed', { error: new Error(`cannot read\nwith ${secret}`), ...fields });
  log('error', 'request failed', { error: `Bearer ${secret}` });
  expect(said.join('\n')).not.toMatch(/456789abcdef|horse/);
  expect(said).toHaveLength(2);
  expect(said[0]).not.toContain('\n');
  expect(JSON.parse(said[0] ?? '')).toMatchObject({ error: expect.stringContaining('log.test.ts') });
});

test('a log line has an end, whatever was thrown', () => {
  const said = lines('error');
  log('error', 'request failed', { error: new Error('x'.repeat(100_000)) });
  expect(said[0]?.length).toBeLessThan(5_000);
});

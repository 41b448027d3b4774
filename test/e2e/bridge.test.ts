import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAULTS, GOOD } from '../integration/bridge-table.ts';
import { FakeOpenAi } from '../integration/fake-openai.ts';
import { type Server, startServer } from '../integration/server.ts';
import { launch } from './chromium.ts';
import { Person } from './room.ts';

/** The golden table of the bridge, as the page shows it. */

const SHOWN = [
  'cut without an end',
  'silence in the middle',
  'a reset in the middle',
  '401',
  '429',
  'an empty answer',
];

let browser: Browser;
let server: Server;
let fake: FakeOpenAi;
beforeAll(async () => {
  fake = await FakeOpenAi.start(
    Object.fromEntries(Object.entries({ ...FAULTS, ...GOOD }).map(([name, { does }]) => [name, does])),
  );
  const LIMITS = JSON.stringify({ bridge_headers_ms: 20_000, bridge_silence_ms: 2_000 });
  [browser, server] = await Promise.all([launch(), startServer({ env: { ...fake.env, LIMITS } })]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await fake?.stop();
});

test('P-BR-4 the page keeps what was said, and says why it is not all; a whole answer has no such words', async () => {
  const ada = await Person.signIn(browser, server.origin, 'Ada Bridge');
  // Another upstream is not offered the demo's words.
  await ada.page.getByText('What would you like to know?').waitFor();
  expect(await ada.page.getByTestId('suggestion').count()).toBe(0);
  const replies = ada.messages('assistant');
  for (const [i, name] of SHOWN.entries()) {
    const { text = '', message = '' } = FAULTS[name] ?? {};
    await ada.say(name);
    const reply = replies.nth(i);
    await reply.locator('[role=alert]').waitFor();
    expect(await reply.getAttribute('data-status')).toBe('failed');
    expect(await reply.locator('[role=alert]').textContent()).toContain(message);
    expect((await reply.textContent())?.startsWith(text)).toBe(true);
  }
  await ada.say('bytes one by one');
  await ada.sees('wörld 😀');
  const last = replies.nth(SHOWN.length);
  await expect.poll(() => last.getAttribute('data-status')).toBe('completed');
  expect(await last.locator('[role=alert]').count()).toBe(0);
  expect(ada.complaints).toEqual([]);
  await ada.context.close();
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, startServer } from '../integration/server.ts';
import { launch } from './chromium.ts';
import { Person } from './room.ts';

describe('the page', () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), startServer()]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('signs in by name, sends, and shows the streamed Markdown with its code', async () => {
    const ada = await Person.signIn(browser, server.origin, 'Ada First');
    await ada.say('markdown');
    await ada.sees('markdown', 'user');
    await ada.sees('Close this tab in the middle of a reply');
    const reply = ada.messages('assistant').first();
    expect(await reply.locator('pre code').textContent()).toContain("await fetch('/internal/outbound'");
    expect(await reply.locator('table td').count()).toBe(6);
    expect(ada.complaints).toEqual([]);
    await ada.context.close();
  });

  test('P-WS-4 P-WS-5 a button pressed in one tab is pressed in the other, once', async () => {
    const bea = await Person.signIn(browser, server.origin, 'Bea Second');
    const tab = await bea.secondTab(server.origin);
    await bea.say('buttons');
    const tea = (one: Person) => one.page.locator('[data-testid=button]', { hasText: 'Tea' });
    await tea(tab).waitFor();
    await tea(bea).click();
    await tab.sees('whichever tab it came from.');
    await bea.sees('whichever tab it came from.');
    expect(await tea(tab).isDisabled()).toBe(true);
    await expect.poll(() => tab.transcript()).toEqual(await bea.transcript());
    expect([...bea.complaints, ...tab.complaints]).toEqual([]);
    await bea.context.close();
  });

  test('shows a tool with its result, a file, an edit in place, and takes the answer of a prompt', async () => {
    const cleo = await Person.signIn(browser, server.origin, 'Cleo Third');
    await cleo.say('tool');
    await cleo.page.locator('[data-testid=tool]', { hasText: 'get_weather' }).waitFor();
    await cleo.sees('Take a coat.');
    await cleo.say('file');
    const picture = cleo.page.locator('[data-testid=messages] img').first();
    await picture.waitFor();
    await expect.poll(() => picture.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBe(240);
    await cleo.say('edit');
    await cleo.sees('has changed');
    await cleo.say('prompt');
    const prompt = cleo.page.getByTestId('prompt');
    await prompt.waitFor();
    await prompt.getByText('As a poem').click();
    await cleo.sees('Your answer: "As a poem"');
    expect(cleo.complaints).toEqual([]);
    await cleo.context.close();
  });

  test('P-WS-11 stop keeps what has been said', async () => {
    const dan = await Person.signIn(browser, server.origin, 'Dan Fourth');
    await dan.say('slow');
    await dan.sees('A wire');
    await dan.page.getByTestId('stop').click();
    await dan.page.locator('[data-testid=message][data-status=cancelled]').waitFor();
    await dan.sees('A wire');
    await dan.context.close();
  });

  test('is whole again after a reload', async () => {
    const eve = await Person.signIn(browser, server.origin, 'Eve Fifth');
    await eve.say('reasoning');
    await eve.sees('at noon');
    await eve.page.locator('[data-testid=message][data-status=completed]').last().waitFor();
    const before = (await eve.transcript()).length;
    await eve.page.reload();
    await eve.sees('at noon');
    expect((await eve.transcript()).length).toBe(before);
    await eve.context.close();
  });

  test('has no sideways scrolling on a phone, in both themes', async () => {
    const fay = await Person.signIn(browser, server.origin, 'Fay Sixth', { width: 320, height: 640 });
    await fay.say('markdown');
    await fay.sees('Close this tab');
    for (const scheme of ['dark', 'light'] as const) {
      await fay.page.emulateMedia({ colorScheme: scheme });
      const overflow = await fay.page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
    }
    await fay.context.close();
  });
});

describe('a server that is killed', () => {
  test('P-WS-8 P-RUN-2 in the middle of a reply: the page recovers by itself, nothing doubled or missing', async () => {
    const browser = await launch();
    let server = await startServer();
    try {
      const gil = await Person.signIn(browser, server.origin, 'Gil Seventh');
      await gil.say('help');
      await gil.sees('Anything else is answered as well.');
      await gil.say('slow');
      // More than a crash may take with it: text is stored every 2 s at the latest.
      await gil.sees('Nobody at either end');
      const { state, port, origin } = server;
      const runtimes = server.runtimes();
      await server.kill();
      for (const pid of runtimes) process.kill(pid, 'SIGKILL');
      await gil.page.getByTestId('banner').waitFor();
      await gil.say('sent while the server was away');
      server = await startServer({ state, port });
      await gil.page.getByTestId('banner').waitFor({ state: 'detached' });
      // The demo cannot go on with a reply that was cut: it says so, and what had been said stays.
      await gil.page.locator('[data-testid=message][data-status=failed]').waitFor();
      await gil.sees('A wire hums between');
      await gil.sees('to see everything else.');
      const seen = await gil.transcript();
      expect(seen.filter((line) => line.includes('sent while the server was away'))).toHaveLength(2);
      expect(seen.filter((line) => line.includes('A wire hums between'))).toHaveLength(1);
      const fresh = await gil.secondTab(origin);
      await fresh.sees('to see everything else.');
      await expect.poll(() => fresh.transcript()).toEqual(await gil.transcript());
    } finally {
      await browser.close();
      await server.stop();
    }
  }, 120_000);
});

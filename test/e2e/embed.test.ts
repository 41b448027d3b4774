import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../integration/server.ts';
import { World } from '../integration/world.ts';
import { launch } from './chromium.ts';
import { Person } from './room.ts';

/** A site of somebody else, as strict as sites are: another origin, with a policy of its own. */
let site: HttpServer;
let world: World;
let browser: Browser;
let html = '';

beforeAll(async () => {
  site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.setHeader(
      'content-security-policy',
      `default-src 'self'; script-src 'unsafe-inline' ${world.origin}; connect-src ${world.origin} ${world.origin.replace('http', 'ws')}; img-src ${world.origin}`,
    );
    response.end(html);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const allowed = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const [server, started] = await Promise.all([startServer({ env: { ALLOWED_ORIGINS: allowed } }), launch()]);
  world = new World(server);
  browser = started;
});

afterAll(async () => {
  await browser?.close();
  await world?.server.stop();
  site?.close();
});

async function visit(user: string, script: string): Promise<{ page: Page; person: Person; address: string }> {
  const { token } = await world.person({ sub: user });
  html = `<!doctype html><html lang="en"><head><title>A shop</title></head>
    <body><main><h1>A shop</h1><starwire-chat id="chat"></starwire-chat></main>
    <script>const token = ${JSON.stringify(token)}; const chat = document.getElementById('chat'); ${script}</script>
    <script type="module" src="${world.origin}/embed.js"></script></body></html>`;
  const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const context = await browser.newContext();
  const page = await context.newPage();
  const person = new Person(context, page, `webchat:${user}`);
  await page.goto(address);
  return { page, person, address };
}

test('<starwire-chat> is one script on any site: it asks for a token, chats, and tells the site', async () => {
  const { page, person } = await visit(
    'shop-guest',
    `window.told = [];
     // Before the script has come.
     chat.getToken = async (reason) => { told.push('token ' + reason); return token; };
     chat.addEventListener('message', ({ detail }) => told.push(detail.role + ': ' + detail.text));`,
  );
  await page.getByTestId('composer').waitFor();
  await person.say('markdown');
  await person.sees('Close this tab in the middle of a reply');
  expect(await person.messages('assistant').first().locator('pre code').textContent()).toContain('fetch');
  await expect
    .poll(() => page.evaluate(() => Reflect.get(window, 'told')))
    .toEqual(['token start', 'user: markdown', expect.stringContaining('assistant: ## Markdown')]);
  expect(person.complaints).toEqual([]);
  expect(await person.barriers()).toEqual([]);

  await page.reload();
  await person.sees('Close this tab in the middle of a reply');
  await page.context().close();
});

test('its styles stay inside, the site’s stay outside, and its colours can be the site’s', async () => {
  const { page, person } = await visit(
    'shop-theme',
    `chat.setAttribute('token', token); chat.setAttribute('theme', 'dark'); chat.setAttribute('lang', 'de');
     const style = new CSSStyleSheet();
     style.replaceSync('button { background: red !important } starwire-chat { --starwire-accent-solid: rgb(1, 2, 3) }');
     document.adoptedStyleSheets = [style];`,
  );
  await page.getByPlaceholder('Nachricht an Star').fill('Hallo');
  const button = page.getByTestId('send');
  await expect
    .poll(() => button.evaluate((one) => getComputedStyle(one).backgroundColor))
    .toBe('rgb(1, 2, 3)');
  expect(await page.evaluate(() => getComputedStyle(document.body).margin)).toBe('8px');
  expect(await page.evaluate(() => document.styleSheets.length)).toBe(0);
  await page.getByTestId('send').click();
  await person.sees('demo upstream');
  await page.context().close();
});

test('P-WS-1 a site that is not allowed gets no connection', async () => {
  const { page } = await visit('shop-foreign', `chat.setAttribute('token', token);`);
  await page.getByTestId('composer').waitFor();
  const foreign = page.url().replace('127.0.0.1', 'localhost');
  const refused = page.waitForEvent('console', (one) => one.text().includes('403'));
  await page.goto(foreign);
  await refused;
  await page.context().close();
});

import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { startServer } from '../integration/server.ts';
import { launch } from './chromium.ts';
import { DESK, type Person, PHONE, Stage } from './room.ts';

/** Makes the pictures of docs/ from the running product, each screen in both themes: `npm run screenshots`. */
const SCHEMES = ['light', 'dark'] as const;
const BEFORE = [
  'Plan three days in Reykjavík',
  'Explain this regular expression',
  'A soup of what is in the fridge',
];

mkdirSync('docs/screens', { recursive: true });
const browser = await launch();
const server = await startServer();
const stage = new Stage(browser, server);

async function picture(page: Page, path: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `docs/${path}`, animations: 'disabled' });
  console.log(`docs/${path}`);
}

async function completed({ page }: Person): Promise<void> {
  await page.locator('[data-testid=message][data-status=completed]').last().waitFor();
}

try {
  for (const colorScheme of SCHEMES) {
    const options = { colorScheme, reducedMotion: 'reduce', viewport: DESK } as const;
    const at = (name: string) => `screens/${name}-${colorScheme}.png`;
    const door = await browser.newContext(options);
    const entrance = await door.newPage();
    await entrance.goto(stage.origin);
    await entrance.getByTestId('name').waitFor();
    await picture(entrance, at('sign-in'));
    await door.close();

    const ada = await stage.enter(colorScheme === 'light' ? 'Ada' : 'Alan', options);
    const { page } = ada;
    for (const text of BEFORE) {
      await page.getByTestId('new').click();
      await ada.say(text);
      await completed(ada);
    }
    await page.getByTestId('new').click();
    await page.getByTestId('suggestion').first().waitFor();
    await stage.post(ada, { kind: 'message', text: 'Your parcel has arrived.', conversation: 'parcels' });
    await page.locator('[data-testid=conversation][data-unread]').waitFor();
    await picture(page, at('empty'));

    await ada.say('Use a tool, please');
    await ada.sees('Take a coat.');
    await completed(ada);
    await ada.say('Give me some buttons');
    await page.getByTestId('button').first().waitFor();
    await completed(ada);
    await picture(page, colorScheme === 'light' ? 'screenshot.png' : 'screenshot-dark.png');

    await page.getByTestId('search').fill('parcel');
    await page.getByTestId('results').getByRole('link').waitFor();
    await page.getByTestId('account').click();
    await page.getByTestId('new').click();
    await ada.say('markdown');
    await ada.sees('Close this tab');
    await completed(ada);
    await picture(page, at('search'));

    await page.getByTestId('playground').click();
    await page.getByTestId('playground-panel').waitFor();
    await page.getByTestId('account').click();
    await page.getByTestId('search').fill('');
    await ada.say('prompt');
    await page.getByTestId('prompt').waitFor();
    await page.setViewportSize({ width: DESK.width, height: 700 });
    await picture(page, at('playground'));
    await ada.context.close();

    const bo = await stage.enter(colorScheme === 'light' ? 'Bo' : 'Bea', { ...options, viewport: PHONE });
    await bo.say('fail');
    await bo.page.locator('[data-status=failed]').waitFor();
    await bo.say('form');
    await bo.page.getByTestId('prompt').waitFor();
    await picture(bo.page, colorScheme === 'light' ? 'screenshot-phone.png' : at('phone'));
    await bo.page.getByTestId('menu').click();
    await bo.page.getByTestId('conversation').first().waitFor();
    await picture(bo.page, at('phone-list'));
    await bo.context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}

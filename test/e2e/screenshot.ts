import { mkdirSync } from 'node:fs';
import { startServer } from '../integration/server.ts';
import { launch } from './chromium.ts';
import { Person } from './room.ts';

/** Makes the pictures of docs/ from the running product: `npm run screenshots`. */
const pictures = [
  { file: 'docs/screenshot.png', name: 'You', scheme: 'light', viewport: { width: 1180, height: 960 } },
  { file: 'docs/screenshot-dark.png', name: 'Guest', scheme: 'dark', viewport: { width: 1180, height: 960 } },
  {
    file: 'docs/screenshot-phone.png',
    name: 'Visitor',
    scheme: 'light',
    viewport: { width: 390, height: 800 },
  },
] as const;

mkdirSync('docs', { recursive: true });
const browser = await launch();
const server = await startServer();
try {
  for (const { file, name, scheme, viewport } of pictures) {
    const person = await Person.signIn(browser, server.origin, name, viewport);
    await person.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await person.say('Can you show me some code?');
    await person.sees('to see everything else');
    await person.say('Use a tool, please');
    await person.sees('Take a coat.');
    await person.say('buttons');
    await person.page.locator('[data-testid=button]').first().waitFor();
    await person.page.locator('[data-testid=message][data-status=completed]').last().waitFor();
    await person.page.mouse.move(0, 0);
    await person.page.screenshot({ path: file });
    await person.context.close();
    console.log(file);
  }
} finally {
  await browser.close();
  await server.stop();
}

import { expect, test } from 'vitest';
import { useStage } from './room.ts';

const stage = useStage();

test('the playground shows the frames, kills the connection, posts events, and sees other tabs', async () => {
  const ada = await stage().enter('Ada Plays');
  const tab = await ada.secondTab(stage().origin);
  for (const one of [ada, tab]) {
    await one.live();
    await one.page.getByTestId('account').click();
    await one.page.getByTestId('playground').click();
    await one.page.getByTestId('playground-panel').waitFor();
  }
  const panel = ada.page.getByTestId('playground-panel');
  await expect.poll(() => panel.getByTestId('tabs').locator('tbody tr').count()).toBe(2);

  await panel.getByTestId('outbound-post').click();
  await panel.getByTestId('outbound-answer').getByText('"delivered":true').waitFor();
  await Promise.all([ada.sees('Hello from the playground!'), tab.sees('Hello from the playground!')]);
  const line = panel.getByTestId('wire').locator('li', { hasText: '↓ message' }).first();
  await line.locator('summary').click();
  await line.locator('pre').getByText('Hello from **the playground**!').waitFor();

  await panel.getByTestId('kill').click();
  await panel.getByTestId('wire').locator('li', { hasText: 'killed' }).waitFor();
  await panel.getByTestId('wire').locator('li', { hasText: '↓ ready' }).waitFor();
  await ada.live();
  expect(await ada.messages('assistant').count()).toBe(1);
  expect([...ada.complaints, ...tab.complaints]).toEqual([]);
  await ada.context.close();
});

test('P-ID-4 the playground is for development: others neither see it nor post by its route', async () => {
  const { world, browser } = stage();
  const { body } = await world.http<{ token: string }>('/dev/token', { body: { user: 'plain-guest' } });
  const context = await browser.newContext();
  const page = await context.newPage();
  // Handed over by a site: not the sign-in of a machine for development.
  await page.goto(`${stage().origin}/#token=${body.token}`);
  await page.getByTestId('account').click();
  await page.getByTestId('signout').waitFor();
  expect(await page.getByTestId('playground').count()).toBe(0);
  await context.close();
  const event = { channel: 'webchat:plain-guest', kind: 'message', text: 'x' };
  const foreign = await world.http('/dev/outbound', {
    body: event,
    headers: { origin: 'https://evil.example' },
  });
  expect(foreign.status).toBe(404);
});

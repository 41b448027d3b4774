import { expect, test } from 'vitest';
import { DESK, PHONE, useStage } from './room.ts';

/** A message may be longer than a frame: such a one is refused for good. */
const stage = useStage({ env: { LIMITS: JSON.stringify({ frame_bytes: 8_192 }) } });

test('a reply to a message shows what it answers, and leads there', async () => {
  const ada = await stage().enter('Ada Replies');
  await stage().post(ada, { kind: 'message', text: 'Do you like **tea**?' });
  await ada.messages('assistant').getByTestId('reply').click();
  await ada.page.getByTestId('replying').getByText('Do you like tea?').waitFor();
  await ada.page.keyboard.press('Escape');
  await ada.page.getByTestId('replying').waitFor({ state: 'detached' });
  await ada.messages('assistant').getByTestId('reply').click();
  await ada.page.keyboard.type('I do');
  await ada.page.keyboard.press('Enter');
  const quote = ada.messages('user').getByTestId('quote');
  await quote.getByText('Do you like tea?').waitFor();
  await ada.page.reload();
  await quote.click();
  await ada.page.locator('[data-role=assistant].is-found').waitFor();
  await ada.context.close();
});

test('another reply takes the place of the first, in every tab', async () => {
  const bo = await stage().enter('Bo Again');
  const tab = await bo.secondTab(stage().origin);
  await bo.say('reasoning');
  await bo.page.locator('[data-testid=message][data-status=completed]').waitFor();
  const first = await bo.messages('assistant').getAttribute('data-id');
  await bo.page.getByTestId('remake').click();
  for (const one of [bo, tab]) {
    await expect
      .poll(() => one.messages('assistant').last().getAttribute('data-id'), { timeout: 10_000 })
      .not.toBe(first);
    await expect.poll(() => one.messages('assistant').count(), { timeout: 10_000 }).toBe(1);
  }
  await bo.page.reload();
  await bo.sees('at noon');
  expect(await bo.messages('assistant').count()).toBe(1);
  expect(await bo.messages('user').count()).toBe(1);
  expect([...bo.complaints, ...tab.complaints]).toEqual([]);
  await bo.context.close();
});

test('a reply that failed says why, and offers another try', async () => {
  const cy = await stage().enter('Cy Fails');
  await cy.say('fail');
  const failed = cy.page.locator('[data-testid=message][data-status=failed]');
  await failed.getByText('The demo was asked to fail, and did.').waitFor();
  await failed.getByText('This reply will not come to its').waitFor();
  await failed.getByTestId('retry').click();
  await expect.poll(() => cy.page.locator('[data-testid=message][data-status=running]').count()).toBe(1);
  await cy.context.close();
});

test('an own message that is refused says why, and can be sent again or discarded', async () => {
  const di = await stage().enter('Di Refused', { permissions: ['clipboard-write', 'clipboard-read'] });
  await di.say('short');
  await di.say('x'.repeat(9_000));
  const refused = di.messages('user').filter({ hasText: 'Send again' });
  await refused.getByText('too long').waitFor();
  await refused.getByRole('button', { name: 'Discard' }).click();
  await refused.waitFor({ state: 'detached' });
  await di.messages('user').first().hover();
  await di.messages('user').first().getByRole('button', { name: 'Copy' }).click();
  expect(await di.page.evaluate(() => navigator.clipboard.readText())).toBe('short');
  await di.context.close();
});

test.each([
  ['desk', DESK],
  ['phone', PHONE],
])('a form and an approval are answered by keyboard alone, on a %s', async (name, viewport) => {
  const ed = await stage().enter(`Ed Forms ${name}`, { viewport });
  await ed.say('form');
  const form = ed.page.locator('[data-testid=prompt][data-kind=form]');
  await form.getByLabel('Name').focus();
  await ed.page.keyboard.type('Ed');
  await ed.page.keyboard.press('Tab');
  await ed.page.keyboard.type('3');
  await ed.page.keyboard.press('Tab');
  await ed.page.keyboard.press('Space');
  await ed.page.keyboard.press('Tab');
  await ed.page.keyboard.press('Enter');
  await ed.page.locator('[data-testid=prompt][data-status=answered]').getByText('Guests: 3').waitFor();
  await ed.page.getByTestId('composer').focus();
  await ed.say('approval');
  await ed.page
    .locator('[data-testid=prompt][data-kind=approval]')
    .getByRole('button', { name: 'Deny' })
    .press('Enter');
  await ed.page.locator('[data-kind=approval][data-status=answered]').getByText('Denied').waitFor();
  expect(ed.complaints).toEqual([]);
  await ed.context.close();
});

test('what a turn brings besides its text stays in its conversation: files and prompts', async () => {
  const fi = await stage().enter('Fi Elsewhere');
  await fi.page.getByTestId('new').click();
  await fi.say('file');
  await fi.page.getByTestId('file').first().waitFor();
  await fi.say('approval');
  await fi.page.getByTestId('prompt').waitFor();
  await fi.page.reload();
  await fi.page.getByTestId('prompt').waitFor();
  await expect.poll(() => fi.page.getByTestId('file').count()).toBe(2);
  await fi.context.close();
});

import { expect, test } from 'vitest';
import { DESK, type Person, PHONE, useStage } from './room.ts';

const stage = useStage();

const row = ({ page }: Person, title: string) =>
  page.locator('[data-testid=conversation]').filter({ hasText: title });

test.each([
  ['desk', DESK],
  ['phone', PHONE],
])('a new chat, its title, and the way back, on a %s', async (name, viewport) => {
  const ada = await stage().enter(`Ada ${name}`, { viewport });
  const menu = async () => {
    if (viewport === PHONE) await ada.page.getByTestId('menu').click();
  };
  await ada.say('help with the first thing');
  await ada.sees('demo upstream');
  await menu();
  await ada.page.getByTestId('new').click();
  expect(new URL(ada.page.url()).pathname).toBe('/new');
  await ada.page.reload();
  await ada.live();
  await ada.page.getByTestId('suggestion').first().waitFor();
  expect(await ada.page.getByTestId('missing').count()).toBe(0);
  await ada.say('help with the second thing');
  await ada.sees('demo upstream');
  await expect.poll(() => new URL(ada.page.url()).pathname).toMatch(/^\/c\/[\w-]+$/);
  const second = ada.page.url();
  expect(await ada.page.getByTestId('title').textContent()).toBe('help with the second thing');

  await menu();
  await row(ada, 'first thing').locator('a').click();
  await ada.sees('first thing', 'user');
  expect(await ada.messages('user').count()).toBe(1);
  await ada.page.goBack();
  await ada.sees('second thing', 'user');

  const tab = await ada.secondTab(second);
  await tab.sees('second thing', 'user');
  expect(await tab.messages('user').count()).toBe(1);
  expect(ada.complaints).toEqual([]);
  await ada.context.close();
});

test('a title is changed in every tab; a deletion can be taken back, and then is final', async () => {
  const bo = await stage().enter('Bo Titles');
  await stage().post(bo, { kind: 'message', text: 'one', conversation: 'c-one' });
  await stage().post(bo, { kind: 'message', text: 'two', conversation: 'c-two' });
  const tab = await bo.secondTab(`${stage().origin}/c/c-two`);
  await tab.sees('two');
  await row(bo, 'one').hover();
  await row(bo, 'one').getByTestId('rename').click();
  await bo.page.getByTestId('rename-field').fill('Holidays');
  await bo.page.getByTestId('rename-field').press('Enter');
  await row(tab, 'Holidays').waitFor();

  await row(bo, 'Holidays').hover();
  await row(bo, 'Holidays').getByTestId('remove').click();
  await row(bo, 'Holidays').waitFor({ state: 'detached' });
  await bo.page.getByTestId('undo').click();
  await row(bo, 'Holidays').waitFor();

  await row(tab, 'Holidays').locator('a').click();
  await tab.sees('one');
  await row(bo, 'Holidays').hover();
  await row(bo, 'Holidays').getByTestId('remove').click();
  await bo.page.getByTestId('notice').getByRole('button', { name: 'Dismiss' }).click();
  await row(tab, 'Holidays').waitFor({ state: 'detached' });
  await tab.page.getByTestId('notice').getByText('was deleted').waitFor();
  expect(new URL(tab.page.url()).pathname).toBe('/new');
  await bo.page.goto(`${stage().origin}/c/c-one`);
  await bo.page.getByTestId('missing').waitFor();
  await bo.context.close();
});

test('a draft stays with its conversation, over a reload too', async () => {
  const cy = await stage().enter('Cy Drafts');
  await stage().post(cy, { kind: 'message', text: 'elsewhere', conversation: 'other' });
  await cy.page.getByTestId('composer').fill('half a thought');
  await row(cy, 'elsewhere').locator('a').click();
  await cy.sees('elsewhere');
  expect(await cy.page.getByTestId('composer').inputValue()).toBe('');
  await cy.page.getByTestId('composer').fill('another');
  await cy.page.goBack();
  await expect.poll(() => cy.page.getByTestId('composer').inputValue()).toBe('half a thought');
  await cy.page.reload();
  await expect.poll(() => cy.page.getByTestId('composer').inputValue()).toBe('half a thought');
  await cy.context.close();
});

test('what was said is found, and shown where it was said', async () => {
  const di = await stage().enter('Di Finds');
  const many = Array.from({ length: 130 }, (_, n) => `Line ${n}`);
  many[3] = 'The quokka smiles';
  await stage().post(di, ...many.map((text) => ({ kind: 'message', text, conversation: 'long' })));
  await di.page.getByTestId('search').fill('quokka');
  await di.page.getByTestId('results').getByText('quokka').click({ timeout: 15_000 });
  const found = di.messages('assistant').filter({ hasText: 'The quokka smiles' });
  await found.waitFor();
  await expect.poll(() => found.evaluate((one) => one.getBoundingClientRect().top)).toBeGreaterThan(0);
  expect(await found.evaluate((one) => one.getBoundingClientRect().bottom < innerHeight)).toBe(true);
  await di.page.getByTestId('search').fill('no such words');
  await di.page.getByText('Nothing found').waitFor();
  await di.page.getByTestId('search').press('Escape');
  expect(await di.page.getByTestId('search').inputValue()).toBe('');
  await di.context.close();
});

test('a history of 500 messages is loaded as one scrolls, without a jump and without a hole', async () => {
  const ed = await stage().enter('Ed Long');
  const lines = Array.from({ length: 500 }, (_, n) => `Message number ${n}.`);
  await stage().post(ed, ...lines.map((text) => ({ kind: 'message', text })));
  await ed.page.reload();
  await ed.sees('Message number 499.');
  const scroller = ed.page.locator('.scroller');
  const messages = ed.messages('assistant');
  expect(await messages.count()).toBeLessThan(120);
  while ((await messages.count()) < 500) {
    const before = await messages.count();
    const first = await messages.first().getAttribute('data-id');
    const kept = ed.page.locator(`[data-id="${first}"]`);
    await scroller.evaluate((box) => box.scrollTo({ top: 30 }));
    const top = await kept.evaluate((one) => one.getBoundingClientRect().top);
    await expect.poll(() => messages.count(), { timeout: 10_000 }).toBeGreaterThan(before);
    await expect
      .poll(() => kept.evaluate((one, was) => Math.abs(one.getBoundingClientRect().top - was), top))
      .toBeLessThan(80);
  }
  expect(await messages.allTextContents()).toEqual(lines.map((line) => expect.stringContaining(line)));
  expect(ed.complaints).toEqual([]);
  await ed.context.close();
});

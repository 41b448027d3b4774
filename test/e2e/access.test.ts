import { describe, expect, test } from 'vitest';
import { DESK, type Person, PHONE, useStage } from './room.ts';

const stage = useStage();

/** Everything that a conversation can show, at once. */
async function fill(person: Person): Promise<void> {
  const [opened] = await stage().post(person, { kind: 'turn' });
  const turn = opened?.id ?? '';
  const text =
    '## A heading\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```ts\nconst a: number = 1; // one\n```\n\n- [x] done\n- [ ] open\n\n> said, with a [link](https://example.com)';
  await stage().post(
    person,
    { kind: 'chunk', turn, text: 'Thinking about it', reasoning: true },
    {
      kind: 'tool',
      turn,
      tool: 't1',
      name: 'look_up',
      status: 'completed',
      preview: 'Found',
      args: { q: 1 },
      result: 'x',
    },
    { kind: 'chunk', turn, text },
    { kind: 'error', turn, label: 'Trouble', type: 'x', message: 'It broke.', hint: 'Try again.' },
    {
      kind: 'message',
      text: 'Choose',
      buttons: [
        { label: 'Tea', custom_id: 'tea', style: 'primary' },
        { label: 'No', custom_id: 'no', style: 'danger' },
      ],
    },
    { kind: 'file', filename: 'notes.txt', mimetype: 'text/plain', data: btoa('notes') },
    { kind: 'prompt', prompt_kind: 'choice', question: 'Which way?', choices: ['Left', 'Right'] },
    { kind: 'prompt', prompt_kind: 'text', question: 'What else?' },
    { kind: 'message', text: 'Elsewhere', conversation: 'other' },
  );
  await person.page.getByTestId('prompt').nth(1).waitFor();
  await person.page.locator('[data-testid=conversation][data-id=other]').waitFor({ state: 'attached' });
}

describe.each([
  ['light', DESK],
  ['dark', DESK],
  ['light', PHONE],
  ['dark', PHONE],
] as const)('axe finds nothing in the %s theme at %o', (colorScheme, viewport) => {
  const options = { colorScheme, viewport, reducedMotion: 'reduce' } as const;

  test('on the way in', async () => {
    const context = await stage().browser.newContext(options);
    const page = await context.newPage();
    await page.goto(stage().origin);
    await page.getByTestId('name').waitFor();
    const { Person: Visitor } = await import('./room.ts');
    expect(await new Visitor(context, page).barriers()).toEqual([]);
    await context.close();
  });

  test('in an empty chat, a full one, its list, and the settings', async () => {
    const ada = await stage().enter(`Axe ${colorScheme} ${viewport.width}`, options);
    await ada.page.getByTestId('suggestion').first().waitFor();
    expect(await ada.barriers()).toEqual([]);
    await fill(ada);
    await ada.messages('assistant').first().getByTestId('reply').click();
    expect(await ada.barriers()).toEqual([]);
    if (viewport === PHONE) await ada.page.getByTestId('menu').click();
    await ada.page.getByTestId('account').click();
    await ada.page.getByTestId('search').fill('e');
    expect(await ada.barriers()).toEqual([]);
    await ada.page.getByTestId('playground').click();
    await ada.page.getByTestId('playground-panel').waitFor();
    await ada.page.getByTestId('kill').click();
    expect(await ada.barriers()).toEqual([]);
    expect(ada.complaints).toEqual([]);
    await ada.context.close();
  });
});

test.each(['light', 'dark'] as const)(
  'axe finds nothing in the %s theme where there is nothing, and no connection',
  async (colorScheme) => {
    const bo = await stage().enter(`Gone ${colorScheme}`, { colorScheme, reducedMotion: 'reduce' });
    await bo.page.goto(`${stage().origin}/c/nowhere`);
    await bo.page.getByTestId('missing').waitFor();
    await bo.context.setOffline(true);
    await stage().world.internal(`/users/${bo.channel.slice('webchat:'.length)}/sessions`, {
      method: 'DELETE',
    });
    await bo.page.getByTestId('banner').waitFor();
    await bo.say('waits');
    await bo.page.getByTestId('take-back').waitFor();
    expect(await bo.barriers()).toEqual([]);
    await bo.context.close();
  },
);

test('the whole page is worked by keyboard, in the order in which it is read', async () => {
  const cy = await stage().enter('Cy Keys');
  await cy.say('buttons');
  await cy.page.getByTestId('button').first().waitFor();
  await cy.page.reload();
  await cy.page.getByTestId('button').first().waitFor();
  await cy.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  const stops: string[] = [];
  for (let n = 0; n < 60; n += 1) {
    await cy.page.keyboard.press('Tab');
    const stop = await cy.page.evaluate(() => {
      const { activeElement: here } = document;
      if (!here || here === document.body) return '';
      const { outlineStyle } = getComputedStyle(here);
      const ringed = outlineStyle !== 'none' || here.matches('.composer textarea, .side-search input');
      const box = here.getBoundingClientRect();
      return `${here.getAttribute('data-testid') ?? here.className ?? here.localName}${ringed && box.width > 0 ? '' : ' UNSEEN'}`;
    });
    if (stop === '' || stops.includes(stop)) continue;
    stops.push(stop);
  }
  expect(stops.filter((one) => one.includes('UNSEEN'))).toEqual([]);
  const wanted = ['skip', 'new', 'search', 'account', 'scroller', 'button', 'attach', 'composer'];
  expect(stops.filter((one) => wanted.includes(one))).toEqual(wanted);
  await cy.context.close();
});

test('the list on a phone opens, keeps the focus, and closes with Escape', async () => {
  const di = await stage().enter('Di Drawer', { viewport: PHONE });
  await di.page.getByTestId('menu').press('Enter');
  await expect.poll(() => di.page.evaluate(() => document.activeElement?.closest('nav')?.id)).toBe('side');
  for (let n = 0; n < 12; n += 1) {
    await di.page.keyboard.press('Tab');
    const place = await di.page.evaluate(
      () => document.activeElement?.closest('.room') !== null && document.activeElement !== document.body,
    );
    expect(place).toBe(false);
  }
  await di.page.getByTestId('search').focus();
  await di.page.keyboard.press('Escape');
  await expect
    .poll(() => di.page.evaluate(() => document.activeElement?.getAttribute('data-testid')))
    .toBe('menu');
  await di.context.close();
});

test('a screen reader hears the beginning and the end of a reply, and nothing between', async () => {
  const ed = await stage().enter('Ed Hears');
  await ed.live();
  await ed.page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const watch = (area: Element) =>
      new MutationObserver(() => heard.push(area.textContent ?? '')).observe(area, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    for (const area of document.querySelectorAll('[aria-live], [role=status]')) watch(area);
  });
  await ed.say('reasoning');
  await ed.page.locator('[data-testid=message][data-status=completed]').waitFor();
  const heard = () => ed.page.evaluate(() => Reflect.get(window, 'heard'));
  await expect.poll(heard).toEqual(['Star is replying.', 'Star has replied.']);
  await ed.context.close();
});

test('in German, every word is German', async () => {
  const fi = await stage().enter('Fi Deutsch', { locale: 'de-DE' });
  expect(await fi.page.locator('html').getAttribute('lang')).toBe('de');
  await fi.page.getByText('Was kannst du?').waitFor();
  await fi.page.getByTestId('account').click();
  await fi.page.getByTestId('language').click();
  await fi.page.getByText('What can you do?').waitFor();
  expect(await fi.page.locator('html').getAttribute('lang')).toBe('en');
  await fi.context.close();
});

test('nothing moves for those who asked for that, and paper shows the conversation alone', async () => {
  const gil = await stage().enter('Gil Still', { reducedMotion: 'reduce' });
  await gil.say('slow');
  await gil.sees('A wire');
  const moving = await gil.page.evaluate(
    () => document.getAnimations().filter((one) => one.effect?.getComputedTiming().duration !== 0).length,
  );
  expect(moving).toBe(0);
  await gil.page.emulateMedia({ media: 'print' });
  for (const id of ['composer', 'side', 'stop'])
    expect(await gil.page.getByTestId(id).first().isVisible()).toBe(false);
  expect(await gil.messages('user').first().isVisible()).toBe(true);
  await gil.context.close();
});

test.each([320, 390, 768, 1024, 1920])(
  'nothing is cut off or scrolls sideways at a width of %i',
  async (width) => {
    const hal = await stage().enter(`Hal ${width}`, { viewport: { width, height: 700 } });
    await fill(hal);
    await stage().post(hal, { kind: 'message', text: `${'long'.repeat(80)}\n\n\`${'code'.repeat(80)}\`` });
    await hal.sees('longlong');
    const over = () => hal.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await over()).toBeLessThanOrEqual(0);
    const outside = await hal.page.evaluate(() =>
      [...document.querySelectorAll('.room *')]
        .filter(
          (one) =>
            !one.closest('pre, .table, .sr-only') && one.getBoundingClientRect().right > innerWidth + 1,
        )
        .map((one) => one.className),
    );
    expect(outside).toEqual([]);
    await hal.context.close();
  },
);

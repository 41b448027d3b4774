import { describe, expect, test } from 'vitest';
import { useStage } from './room.ts';

const stage = useStage();

describe('without a connection', () => {
  test('what is sent waits where it can be seen and taken back, and goes when the connection is back', async () => {
    const ada = await stage().enter('Ada Offline');
    await ada.live();
    await ada.context.setOffline(true);
    await stage().world.internal('/users/ada-offline/sessions', { method: 'DELETE' });
    await ada.page.getByTestId('banner').waitFor();
    await ada.say('help me later');
    await ada.say('not this one');
    await ada.page.getByTestId('banner').getByText('2 messages will be sent').waitFor();
    await ada.messages('user').filter({ hasText: 'not this one' }).getByTestId('take-back').click();
    await ada.page.getByTestId('banner').getByText('1 message will be sent').waitFor();
    expect(await ada.transcript()).toHaveLength(1);

    await ada.context.setOffline(false);
    await ada.sees('demo upstream');
    await ada.page.getByTestId('banner').waitFor({ state: 'detached' });
    expect(await ada.messages('user').count()).toBe(1);
    await ada.context.close();
  });

  test('an unsent message outlives a reload of the tab', async () => {
    const bo = await stage().enter('Bo Offline');
    await bo.page.evaluate(() => navigator.serviceWorker.ready);
    await bo.context.setOffline(true);
    await stage().world.internal('/users/bo-offline/sessions', { method: 'DELETE' });
    await bo.page.getByTestId('banner').waitFor();
    await bo.say('help after a reload');
    await bo.page.reload();
    await bo.sees('help after a reload', 'user');
    await bo.context.setOffline(false);
    await bo.sees('demo upstream');
    expect(await bo.messages('user').count()).toBe(1);
    await bo.context.close();
  });
});

describe('several tabs of one person', () => {
  test('P-WS-4 are in step: messages, typing of the other side, prompts, and what was read', async () => {
    const cy = await stage().enter('Cy Tabs');
    const tab = await cy.secondTab(stage().origin);
    await Promise.all([cy.live(), tab.live()]);
    await stage().post(cy, { kind: 'typing', active: true });
    await Promise.all([cy, tab].map((one) => one.page.getByTestId('typing').waitFor()));
    await stage().post(cy, {
      kind: 'prompt',
      prompt_kind: 'choice',
      question: 'Which way?',
      choices: ['Left', 'Right'],
    });
    await cy.page.getByTestId('prompt').getByText('Left').click();
    await tab.page.locator('[data-testid=prompt][data-status=answered]').getByText('Left').waitFor();

    await stage().post(cy, { kind: 'message', text: 'Elsewhere', conversation: 'other' });
    const mark = (one: typeof cy) =>
      one.page.locator('[data-testid=conversation][data-id=other][data-unread]');
    await Promise.all([mark(cy).waitFor(), mark(tab).waitFor()]);
    await mark(cy).locator('a').click();
    await mark(tab).waitFor({ state: 'detached' });
    await expect.poll(() => tab.page.title()).not.toMatch(/^\(/);
    expect([...cy.complaints, ...tab.complaints]).toEqual([]);
    await cy.context.close();
  });

  test('a hidden tab counts in its title and notifies, and forgets both when it is looked at', async () => {
    const di = await stage().enter('Di Hidden', { permissions: ['notifications'] });
    await di.context.addInitScript(() => {
      const shown: string[] = [];
      class Noted extends EventTarget {
        static permission = 'granted';
        static requestPermission = () => Promise.resolve('granted');
        constructor(title: string, { body = '' }: { body?: string }) {
          super();
          shown.push(`${title}: ${body}`);
        }
      }
      Object.assign(window, { Notification: Noted, shown });
    });
    await di.page.reload();
    await di.live();
    await di.page.getByTestId('account').click();
    await di.page.getByTestId('notify').click();
    const hide = (hidden: boolean) =>
      di.page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    await stage().post(di, { kind: 'message', text: 'Are you there?', conversation: 'far' });
    await expect.poll(() => di.page.title()).toMatch(/^\(1\) /);
    await expect
      .poll(() => di.page.evaluate(() => Reflect.get(window, 'shown')))
      .toEqual(['Star: Are you there?']);
    await hide(false);
    await di.page.locator('[data-testid=conversation][data-id=far] a').click();
    await expect.poll(() => di.page.title()).not.toMatch(/^\(/);
    await di.context.close();
  });
});

describe('a session that ends', () => {
  const handOver = async (name: string, ttl_s: number) => {
    const { body } = await stage().world.http<{ token: string }>('/dev/token', {
      body: { user: name, ttl_s },
    });
    return body.token;
  };

  test('P-WS-12 of the development sign-in is renewed in place, without a word', async () => {
    const ed = await stage().enter('Ed Renewed');
    await ed.live();
    const short = await handOver('ed-renewed', 4);
    await ed.page.evaluate((token) => {
      for (const storage of [sessionStorage, localStorage])
        storage.setItem('starwire.session', JSON.stringify({ token, name: 'Ed Renewed' }));
    }, short);
    await ed.page.reload();
    await ed.live();
    const stored = () => ed.page.evaluate(() => sessionStorage.getItem('starwire.session') ?? '');
    await expect.poll(stored, { timeout: 10_000 }).not.toContain(short);
    await ed.say('help');
    await ed.sees('demo upstream');
    expect(await ed.page.getByTestId('banner').count()).toBe(0);
    await ed.context.close();
  });

  test('of somebody else, handed over by a link, replaces nobody who does not want it', async () => {
    const gil = await stage().enter('Gil Stays');
    await gil.live();
    const theirs = await handOver('mallory', 600);
    const answers: { said: string; accept: boolean }[] = [];
    let accept = false;
    gil.page.on('dialog', async (dialog) => {
      answers.push({ said: dialog.message(), accept });
      await (accept ? dialog.accept() : dialog.dismiss());
    });
    const subject = () =>
      gil.page.evaluate(() => {
        const { token } = JSON.parse(sessionStorage.getItem('starwire.session') ?? '{}');
        return JSON.parse(atob(String(token).split('.')[1] ?? '')).sub;
      });
    const follow = () =>
      gil.page.evaluate((value) => {
        location.hash = `token=${value}`;
      }, theirs);
    await follow();
    await expect.poll(() => answers.length).toBe(1);
    await gil.page.goto(`${stage().origin}/new#token=${theirs}`);
    await expect.poll(() => answers.length).toBe(2);
    expect(answers[0]?.said).toContain('mallory');
    expect(await subject()).toBe('gil-stays');
    expect(gil.page.url()).not.toContain('token');
    await gil.live();
    accept = true;
    await follow();
    await expect.poll(subject).toBe('mallory');
    await gil.live();
    await gil.context.close();
  });

  test('P-WS-12 says so where nobody can renew it, keeps the draft, and goes on with the next token', async () => {
    const context = await stage().browser.newContext();
    const page = await context.newPage();
    await page.goto(`${stage().origin}/#token=${await handOver('fi-ended', 2)}`);
    await page.locator('[data-testid=state][data-live]').waitFor({ state: 'attached' });
    expect(page.url()).not.toContain('token');
    await page.getByTestId('composer').fill('half a thought');
    await stage().post({ channel: 'webchat:fi-ended' } as never, { kind: 'message', text: 'One' });
    await expect
      .poll(() => stage().world.outbound({ channel: 'webchat:fi-ended', kind: 'message', text: 'More' }))
      .toBeTruthy();
    await page.getByTestId('again').waitFor({ timeout: 20_000 });
    const token = await handOver('fi-ended', 600);
    await page.evaluate((value) => {
      location.hash = `token=${value}`;
    }, token);
    await page.locator('[data-testid=state][data-live]').waitFor({ state: 'attached' });
    expect(await page.getByTestId('composer').inputValue()).toBe('half a thought');
    await context.close();
  });
});

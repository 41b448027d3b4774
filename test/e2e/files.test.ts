import { expect, test } from 'vitest';
import { useStage } from './room.ts';

const stage = useStage();

/** One pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const picture = (name: string) => ({ name, mimeType: 'image/png', buffer: PNG });

test('files are picked, dropped and pasted, taken back, and go with the message', async () => {
  const ada = await stage().enter('Ada Files');
  const tab = await ada.secondTab(stage().origin);
  await ada.live();
  const attached = ada.page.locator('[data-testid=attached][data-done]');
  await ada.page.getByTestId('picker').setInputFiles([picture('picked.png'), picture('naïve 文.png')]);
  await expect.poll(() => attached.count()).toBe(2);

  for (const [type, name] of [
    ['drop', 'dropped.png'],
    ['paste', 'pasted.png'],
  ] as const) {
    await ada.page.getByTestId('composer').evaluate(
      (field, given) => {
        const carried = new DataTransfer();
        carried.items.add(new File([Uint8Array.from(given.bytes)], given.name, { type: 'image/png' }));
        const fields = { bubbles: true, cancelable: true };
        field.dispatchEvent(
          given.type === 'drop'
            ? new DragEvent('drop', { ...fields, dataTransfer: carried })
            : new ClipboardEvent('paste', { ...fields, clipboardData: carried }),
        );
      },
      { type, name, bytes: [...PNG] },
    );
    await attached.filter({ hasText: name }).waitFor();
  }
  await ada.page.getByRole('button', { name: 'Remove picked.png' }).click();
  await expect.poll(() => attached.count()).toBe(3);
  expect(await ada.barriers()).toEqual([]);

  await ada.say('Look at these');
  for (const one of [ada, tab]) {
    const sent = one.messages('user').filter({ hasText: 'Look at these' });
    await expect.poll(() => sent.locator('img').count()).toBe(3);
    for (const img of await sent.locator('img').all())
      await expect.poll(() => img.evaluate((it) => (it as HTMLImageElement).naturalWidth)).toBe(1);
    expect(await sent.getByAltText('naïve 文.png').count()).toBe(1);
  }
  expect(await ada.page.getByTestId('attached').count()).toBe(0);
  await ada.page.reload();
  await expect.poll(() => ada.messages('user').locator('img').count()).toBe(3);
  expect([...ada.complaints, ...tab.complaints]).toEqual([]);
  await ada.context.close();
});

test('an upload shows how far it is, holds the message back, and can be stopped', async () => {
  const bo = await stage().enter('Bo Files');
  await bo.live();
  const network = await bo.context.newCDPSession(bo.page);
  await network.send('Network.enable');
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 60_000,
  });
  const big = { name: 'big.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(600_000, 1) };
  await bo.page.getByTestId('picker').setInputFiles(big);
  const progress = bo.page.getByRole('progressbar');
  await expect
    .poll(() => progress.evaluate((one) => (one as HTMLProgressElement).value), { timeout: 10_000 })
    .toBeGreaterThan(0);
  await bo.page.getByTestId('composer').fill('too early');
  expect(await bo.page.getByTestId('send').isDisabled()).toBe(true);
  const stopped = bo.page.waitForEvent('requestfailed', (one) => one.url().endsWith('/api/files'));
  await bo.page.getByRole('button', { name: 'Remove big.bin' }).click();
  await stopped;
  await bo.page.getByTestId('attached').waitFor({ state: 'detached' });
  expect(await bo.page.getByTestId('send').isDisabled()).toBe(false);
  await bo.context.close();
});

test('a file that did not arrive says so, and is sent again', async () => {
  const cy = await stage().enter('Cy Files');
  await cy.live();
  await cy.context.setOffline(true);
  await cy.page.getByTestId('picker').setInputFiles(picture('later.png'));
  await cy.page.getByTestId('attached').getByRole('alert').waitFor();
  await cy.context.setOffline(false);
  await cy.page.getByRole('button', { name: 'Upload later.png again' }).click();
  await cy.page.locator('[data-testid=attached][data-done]').waitFor();
  await cy.context.close();
});

test('a file that is too large or one too many is refused before it is sent', async () => {
  const di = await stage().enter('Di Files');
  await di.live();
  await di.page
    .getByTestId('picker')
    .setInputFiles(Array.from({ length: 11 }, (_, n) => picture(`${n}.png`)));
  await expect
    .poll(() => di.page.locator('[data-testid=attached][data-done]').count(), { timeout: 10_000 })
    .toBe(10);
  await di.page.getByTestId('attached').getByText('A message takes 10 files at most.').waitFor();
  await di.page.getByTestId('picker').evaluate((picker) => {
    const file = new File([], 'huge.bin');
    Object.defineProperty(file, 'size', { value: 26_214_401 });
    Object.defineProperty(picker, 'files', { value: [file], configurable: true });
    picker.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await di.page.getByTestId('attached').getByText('Larger than 25 MiB.').waitFor();
  await di.context.close();
});

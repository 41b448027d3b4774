import { expect, test } from 'vitest';
import { type Person, useStage } from './room.ts';

const stage = useStage();

/** Each tries to run `hit()`, to reach another host, or to dress up as a part of the page. */
const CORPUS = [
  '<script>hit()</script>',
  '<img src=x onerror=hit()>',
  '<img src="https://evil.example/pixel.png">',
  '![pixel](https://evil.example/pixel.png)',
  '<svg onload=hit()><circle/></svg>',
  '<svg><animate onbegin=hit() attributeName=x dur=1s></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=hit()&gt;">',
  '<iframe src="javascript:hit()"></iframe>',
  '<iframe srcdoc="<script>parent.hit()</script>"></iframe>',
  '<object data="javascript:hit()"></object><embed src="javascript:hit()">',
  '<a href="javascript:hit()">click</a>',
  '[click](javascript:hit())',
  '[click](JaVaScRiPt:hit())',
  '[click](java&#x09;script:hit())',
  '[click](data:text/html,<script>hit()</script>)',
  '[click](vbscript:hit())',
  '<javascript:hit()>',
  '[ref]\n\n[ref]: javascript:hit()',
  '<details open ontoggle=hit()>x</details>',
  '<video><source onerror=hit()></video>',
  '<input autofocus onfocus=hit()>',
  '<form action="javascript:hit()"><button>send</button></form>',
  '<style>body{display:none}</style>',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<base href="https://evil.example/">',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<div id="composer" name="cookie" class="sign-in-card">dressed up</div>',
  '<p style="position:fixed;inset:0">over all</p>',
  '```js"><img src=x onerror=hit()>\ncode\n```',
  '```\n</code></pre><script>hit()</script>\n```',
  '`<img src=x onerror=hit()>`',
  '| <img src=x onerror=hit()> | b |\n| --- | --- |\n| <script>hit()</script> | d |',
  '<noscript><p title="</noscript><img src=x onerror=hit()>">',
  '<template><script>hit()</script></template>',
  '"><script>hit()</script>',
  '&lt;script&gt;hit()&lt;/script&gt;',
  '<a href="https://example.com" onclick="hit()" target=_self>link</a>',
  '\u202Egpj.exe <b onmouseover=hit()>x</b>',
];

async function watched(name: string): Promise<{ person: Person; calls: string[] }> {
  const person = await stage().enter(name);
  const calls: string[] = [];
  await person.page.exposeFunction('hit', () => calls.push('hit'));
  person.page.on('request', (request) => {
    if (new URL(request.url()).origin !== stage().origin) calls.push(request.url());
  });
  return { person, calls };
}

/** What a press on every link of the messages would do, without the pages behind them. */
async function harmless({ page }: Person): Promise<void> {
  const found = await page.getByTestId('messages').evaluate((messages) => {
    const all = [...messages.querySelectorAll('*')];
    return {
      handlers: all.flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on')),
      schemes: [...messages.querySelectorAll<HTMLAnchorElement>('a[href]')].map(({ protocol }) => protocol),
      elements: all.map(({ localName }) => localName),
      sameTab: [...messages.querySelectorAll('.md a[href]')].filter(
        (a) => a.getAttribute('target') !== '_blank',
      ).length,
      dressed: messages.querySelectorAll('.sign-in-card, #composer, [style*=fixed]').length,
    };
  });
  expect(found.handlers).toEqual([]);
  expect(found.schemes.filter((one) => !/^https?:$/.test(one))).toEqual([]);
  for (const name of [
    'script',
    'iframe',
    'object',
    'embed',
    'form',
    'style',
    'link',
    'meta',
    'base',
    'video',
    'input',
  ])
    expect(found.elements).not.toContain(name);
  expect(found.sameTab).toBe(0);
  expect(found.dressed).toBe(0);
}

test('hostile Markdown runs nothing, asks no other host, and pretends to be no part of the page', async () => {
  const { person, calls } = await watched('Mal Whole');
  await stage().post(person, ...CORPUS.map((text, n) => ({ kind: 'message', text: `${text}\n\nend ${n}.` })));
  await person.sees(`end ${CORPUS.length - 1}.`);
  expect(await person.messages('assistant').count()).toBe(CORPUS.length);
  await harmless(person);
  await person.page.waitForFunction(() => document.readyState === 'complete');
  expect(calls).toEqual([]);
  expect(person.complaints).toEqual([]);
  await person.context.close();
});

test('hostile Markdown runs nothing while it streams either, cut anywhere', async () => {
  const { person, calls } = await watched('Mal Streamed');
  const [opened] = await stage().post(person, { kind: 'turn' });
  const turn = opened?.id ?? '';
  const text = CORPUS.filter((one) => !one.startsWith('```')).join('\n\n');
  const chunks = text.match(/[\s\S]{1,7}/g) ?? [];
  await stage().post(person, ...chunks.map((part) => ({ kind: 'chunk', turn, text: part })));
  await stage().post(person, { kind: 'chunk', turn, text: '\n\nThe end.' });
  await person.sees('The end.');
  await harmless(person);
  await stage().post(person, { kind: 'done', turn });
  await person.page.locator('[data-testid=message][data-status=completed]').waitFor();
  await harmless(person);
  expect(calls).toEqual([]);
  expect(person.complaints).toEqual([]);
  await person.context.close();
});

test('names of tools, files, buttons and prompts are texts, whatever they say', async () => {
  const { person, calls } = await watched('Mal Names');
  const bad = '<img src=x onerror=hit()>';
  const [opened] = await stage().post(person, { kind: 'turn' });
  const turn = opened?.id ?? '';
  await stage().post(
    person,
    {
      kind: 'tool',
      turn,
      tool: 't',
      name: bad,
      status: 'completed',
      preview: bad,
      args: { bad },
      result: bad,
    },
    { kind: 'chunk', turn, text: bad, reasoning: true },
    { kind: 'error', turn, label: bad, type: 'x', message: bad, hint: bad },
    { kind: 'message', text: 'Choose', buttons: [{ label: bad, custom_id: 'b', emoji: bad }] },
    { kind: 'file', filename: `${bad}.html`, mimetype: 'text/html', data: btoa('<script>hit()</script>') },
    { kind: 'file', filename: 'x.png', mimetype: 'image/png', url: 'https://evil.example/x.png' },
    { kind: 'prompt', prompt_kind: 'choice', question: bad, choices: [bad] },
  );
  await person.page.getByTestId('prompt').waitFor();
  await harmless(person);
  expect(calls).toEqual([]);
  await person.context.close();
});

test('a split emoji and text from right to left arrive as they were written', async () => {
  const { person } = await watched('Tom Texts');
  const [opened] = await stage().post(person, { kind: 'turn' });
  const turn = opened?.id ?? '';
  const text = 'مرحبا 👩‍👩‍👧‍👦 بالعالم 🇮🇸 and back\n\nשלום עולם\n\nplain';
  // One code unit a chunk: every pair of surrogates is cut.
  await stage().post(person, ...text.split('').map((unit) => ({ kind: 'chunk', turn, text: unit })));
  await stage().post(person, { kind: 'done', turn });
  await person.page.locator('[data-testid=message][data-status=completed]').waitFor();
  const shown = await person.page.locator('.md').evaluate((md) => ({
    text: [...md.querySelectorAll('p')].map((p) => p.textContent),
    direction: getComputedStyle(md).direction,
  }));
  expect(shown.text).toEqual(text.split('\n\n'));
  expect(shown.direction).toBe('rtl');
  await person.say('שלום');
  const bubble = person.messages('user').locator('.bubble');
  await bubble.waitFor();
  expect(await bubble.evaluate((one) => getComputedStyle(one).direction)).toBe('rtl');
  await person.context.close();
});

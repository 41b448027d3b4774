import { execFileSync } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The background services are off because they would look for hosts that a closed network refuses. */
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Found {
  path: string;
  environment?: Record<string, string>;
}

let found: Promise<Found> | undefined;

/** Where a Chromium is on this machine; one that came with the development dependencies where no other is installed. */
export async function chromiumPath(): Promise<string> {
  found ??= find();
  return (await found).path;
}

/** A headless browser. No suite that needs one is skipped: where none can be had, this throws. */
export async function launch(): Promise<Browser> {
  found ??= find();
  const { path, environment } = await found;
  return await chromium.launch({ executablePath: path, args, env: { ...process.env, ...environment } });
}

async function find(): Promise<Found> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    await access(named, constants.X_OK);
    return { path: named };
  }
  const installed = usualPlaces.find((path) => existsSync(path));
  if (installed) return { path: installed };
  if (process.platform === 'linux' && process.arch === 'x64') return await unpacked();
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get'))
    return byApt();
  throw new Error('No Chromium here. Install one, or name it with CHROMIUM_PATH.');
}

/** The Chromium inside @sparticuz/chromium, with the libraries and fonts that a bare machine lacks. */
async function unpacked(): Promise<Found> {
  const folder = resolve(import.meta.dirname, '../../node_modules/.cache/starwire-chromium');
  const path = join(folder, 'chromium');
  if (!existsSync(path)) await unpackInto(folder);
  await writeFontconfig(folder);
  return { path, environment: { LD_LIBRARY_PATH: join(folder, 'al2023/lib'), FONTCONFIG_PATH: folder } };
}

/** Unpacked beside and then renamed, so that an interrupted run leaves no half of a browser. */
async function unpackInto(folder: string): Promise<void> {
  const { default: bundled } = await import('@sparticuz/chromium');
  const beside = `${folder}.${process.pid}`;
  await mkdir(beside, { recursive: true });
  // The package unpacks into TMPDIR, and its libraries only where it believes that it runs in Lambda.
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = beside;
  process.env['AWS_EXECUTION_ENV'] = 'AWS_Lambda_nodejs24.x';
  try {
    await bundled.executablePath();
  } finally {
    delete process.env['AWS_EXECUTION_ENV'];
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  }
  await rename(beside, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error;
    await rm(beside, { recursive: true }); // another process was first
  });
}

/** The package's text font, the machine's own fonts, and from npm a monospaced one and emoji in colour. */
async function writeFontconfig(folder: string): Promise<void> {
  const fromNpm = resolve(import.meta.dirname, '../../node_modules/@expo-google-fonts');
  const folders = ['/usr/share/fonts', '/usr/local/share/fonts', join(folder, 'fonts'), fromNpm];
  const prefer = (family: string, ...fonts: string[]) =>
    `<alias binding="strong"><family>${family}</family><prefer>${fonts.map((font) => `<family>${font}</family>`).join('')}</prefer></alias>`;
  await writeFile(
    join(folder, 'fonts.conf'),
    [
      '<?xml version="1.0"?>',
      '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
      '<fontconfig>',
      ...folders.map((path) => `<dir>${path}</dir>`),
      `<cachedir>${join(folder, 'font-cache')}</cachedir>`,
      prefer('sans-serif', 'Open Sans', 'Noto Color Emoji'),
      prefer('system-ui', 'Open Sans', 'Noto Color Emoji'),
      prefer('monospace', 'Cousine', 'DejaVu Sans Mono'),
      '</fontconfig>',
    ].join('\n'),
  );
}

function byApt(): Found {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update'], { env });
  execFileSync(
    'apt-get',
    ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-noto-color-emoji'],
    { env },
  );
  return { path: '/usr/bin/chromium' };
}

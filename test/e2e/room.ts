import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Server, type ServerOptions, startServer } from '../integration/server.ts';
import { World } from '../integration/world.ts';
import { launch } from './chromium.ts';

/** The desk and the phone that the flows are tried on. */
export const DESK = { width: 1180, height: 820 };
export const PHONE = { width: 390, height: 760 };

/** A running server and a browser before it, one of each for all tests of a file. */
export class Stage {
  readonly world: World;
  readonly browser: Browser;

  constructor(browser: Browser, server: Server) {
    this.browser = browser;
    this.world = new World(server);
  }

  get origin(): string {
    return this.world.origin;
  }

  enter(name: string, options: BrowserContextOptions = {}): Promise<Person> {
    return Person.signIn(this.browser, this.origin, name, options.viewport ?? DESK, options);
  }

  /** Posts events for somebody, as the service behind the server does; every one must be applied. */
  async post(to: Person, ...events: object[]) {
    const { body } = await this.world.outbound(events.map((event) => ({ channel: to.channel, ...event })));
    expect(body.results.flatMap(({ error }) => error ?? [])).toEqual([]);
    return body.results;
  }
}

export function useStage(options: ServerOptions = {}): () => Stage {
  let stage: Stage | undefined;
  beforeAll(async () => {
    stage = new Stage(...(await Promise.all([launch(), startServer(options)])));
  });
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.world.server.stop();
  });
  return () => stage ?? expect.fail('the server has not started');
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

declare global {
  interface Window {
    axe: { run(options: RunOptions): Promise<AxeResults> };
  }
}

/** Whatever a flow waits for comes within this, on a busy machine too; then it is told which step did not. */
const ACTION_MS = 12_000;

/** A person at the chat page: what the flows of this folder do again and again. */
export class Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained of; a flow that is well leaves it empty. */
  readonly complaints: string[] = [];
  /** Where the service behind the server writes to them. */
  readonly channel: string;

  constructor(context: BrowserContext, page: Page, channel = '') {
    this.channel = channel;
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(ACTION_MS);
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // A connection that is refused while the server is down is the browser's own remark.
      const expected = /WebSocket connection|ERR_CONNECTION_REFUSED|net::/.test(message.text());
      if (message.type() === 'error' && !expected) this.complaints.push(message.text());
    });
  }

  static async signIn(
    browser: Browser,
    origin: string,
    name: string,
    viewport = DESK,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext({ ...options, viewport });
    const channel = `webchat:${name.toLowerCase().replaceAll(' ', '-')}`;
    const person = new Person(context, await context.newPage(), channel);
    await person.page.goto(origin);
    await person.page.getByTestId('name').fill(name);
    await person.page.getByTestId('name').press('Enter');
    await person.page.getByTestId('composer').waitFor();
    return person;
  }

  /** Another tab of the same browser: signed in already. */
  async secondTab(address: string): Promise<Person> {
    const other = new Person(this.context, await this.context.newPage(), this.channel);
    await other.page.goto(address);
    await other.page.getByTestId('composer').waitFor();
    return other;
  }

  async say(text: string): Promise<void> {
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('composer').press('Enter');
  }

  /** Resolves when the connection is live. */
  async live(): Promise<void> {
    await this.page.locator('[data-testid=state][data-live]').waitFor({ state: 'attached' });
  }

  /** What axe finds against WCAG 2.2 AA on the page as it is, in a line each. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(AXE);
    // Colours in the middle of a transition are nobody's contrast.
    await this.page.evaluate(() =>
      Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))),
    );
    const { violations } = await this.page.evaluate(() =>
      window.axe.run({
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  }

  /** Messages of a role, in their order. */
  messages(role: 'user' | 'assistant') {
    return this.page.locator(`[data-testid=message][data-role=${role}]`);
  }

  /** Resolves when a message of the role contains the text. */
  async sees(text: string | RegExp, role: 'user' | 'assistant' = 'assistant'): Promise<void> {
    await this.messages(role).filter({ hasText: text }).first().waitFor();
  }

  /** Every message on screen, as role and text. */
  async transcript(): Promise<string[]> {
    const all = await this.page.locator('[data-testid=message]').all();
    return Promise.all(
      all.map(async (one) => `${await one.getAttribute('data-role')}: ${(await one.textContent())?.trim()}`),
    );
  }
}

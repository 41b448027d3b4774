import type { Browser, BrowserContext, Page } from 'playwright-core';

/** A person at the chat page: what the flows of this folder do again and again. */
export class Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained of; a flow that is well leaves it empty. */
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
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
    viewport = { width: 1180, height: 820 },
  ): Promise<Person> {
    const context = await browser.newContext({ viewport });
    const person = new Person(context, await context.newPage());
    await person.page.goto(origin);
    await person.page.getByTestId('name').fill(name);
    await person.page.getByTestId('name').press('Enter');
    await person.page.getByTestId('composer').waitFor();
    return person;
  }

  /** Another tab of the same browser: signed in already. */
  async secondTab(origin: string): Promise<Person> {
    const other = new Person(this.context, await this.context.newPage());
    await other.page.goto(origin);
    await other.page.getByTestId('composer').waitFor();
    return other;
  }

  async say(text: string): Promise<void> {
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('composer').press('Enter');
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

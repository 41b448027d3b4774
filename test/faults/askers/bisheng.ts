import { expect } from 'vitest';
import { Page } from '../../integration/bisheng-page.ts';
import { newChat } from '../../integration/bisheng-world.ts';
import type { World } from '../../integration/world.ts';
import { run_ms } from '../battered.ts';
import { insist } from '../post.ts';
import type { Random } from '../random.ts';
import { Asker, longLived, unlessLost } from './asker.ts';

/** A person at a chat page of Bisheng, which is loaded anew when its connection is lost: its history, then what its socket says. */
export class BishengAsker extends Asker {
  readonly #chat = newChat();
  /** The page, while it is connected. */
  #page: Page | undefined;
  /** All that the page showed when it had a reply. */
  readonly #shown: string[][] = [];

  static async of(world: World, random: Random): Promise<BishengAsker> {
    return new BishengAsker(world, await longLived(world), random);
  }

  protected ask(text: string): Promise<string> {
    return insist(async () => {
      const reply = await unlessLost(async () => {
        this.#page ??= await this.#open();
        return this.#converse(this.#page, text);
      });
      if (reply === undefined) this.#page = undefined;
      return reply;
    });
  }

  async #open(): Promise<Page> {
    const page = await Page.open(this.world, this.person, this.#chat);
    this.count('connections');
    return page;
  }

  /** A message has no id of its own: after a loss the page's history tells whether it was taken. */
  async #converse(page: Page, text: string): Promise<string | undefined> {
    if (page.shown.includes(`user: ${text}`)) this.count('found');
    else page.say(text);
    const pieces = this.cutAfter();
    const before = page.frames.length;
    const cut = () => (page.frames.length >= before + pieces ? null : undefined);
    const reply = await page.until(() => replyTo(page, text) ?? cut(), `the reply to ${text}`, run_ms);
    if (reply === null) {
      this.count('cuts');
      await page.socket.drop();
      await this.gone();
      return undefined;
    }
    this.#shown.push(page.shown);
    return reply;
  }

  expectExact(): void {
    const said = this.asked.flatMap(({ text, reply }) => [`user: ${text}`, `answer: ${reply}`]);
    for (const [n, shown] of this.#shown.entries()) {
      // A page begins with the newest rows of its history.
      const until = said.slice(0, 2 * (n + 1));
      expect(shown).toEqual(until.slice(-shown.length));
      expect(shown.length).toBeGreaterThan(1);
    }
  }

  expectKept(): Promise<void> {
    return this.expectHistory(this.#chat);
  }
}

/** What the page shows behind a question. */
function replyTo({ shown }: Page, text: string): string | undefined {
  const reply = shown[shown.indexOf(`user: ${text}`) + 1];
  return reply?.slice('answer: '.length);
}

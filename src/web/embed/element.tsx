import { render } from 'preact';
import type { TokenReason } from '../../client/index.ts';
import { DEFAULT_CONVERSATION } from '../../protocol/ids.ts';
import { home } from '../home.ts';
import { wantEngine } from '../markdown/engine.ts';
import { FixedPlace } from '../place.ts';
import { Room } from '../room.ts';
import { readSettings } from '../settings.ts';
import { speak, strings } from '../strings.ts';
import css from '../styles/index.css?inline';
import { subjectOf } from '../subject.ts';
import { EmbeddedChat } from './embedded-chat.tsx';

/** Gives a user token; called at the start, before one expires, and when one was refused. */
export type TokenCallback = (reason: TokenReason) => Promise<string | undefined> | string | undefined;

/** What a `message` event of the element tells. */
export interface EmbedMessage {
  conversation: string;
  role: string;
  text: string;
}

/**
 * A conversation on any site, in a shadow root of its own.
 *
 * Attributes: `token`, `conversation`, `theme` (`light`, `dark`, else the reader's), `lang` (`en`, `de`). Property:
 * `getToken`. Events: `message`, `status`, `ended` (no token is given any more). Custom properties: `--starwire-accent`,
 * `--starwire-accent-solid`, `--starwire-on-accent`, `--starwire-background`, `--starwire-font`.
 *
 * @example
 * const chat = document.createElement('starwire-chat');
 * chat.getToken = async () => (await fetch('/chat-token')).text();
 * document.body.append(chat);
 */
export class StarwireChat extends HTMLElement {
  static readonly observedAttributes = ['token', 'conversation', 'lang'];
  #getToken: TokenCallback | undefined;
  #room: Room | undefined;
  #asked = false;
  #opening = 0;

  /** Where tokens come from; instead, or in place of, the `token` attribute. */
  get getToken(): TokenCallback | undefined {
    return this.#getToken;
  }

  set getToken(callback: TokenCallback | undefined) {
    this.#getToken = callback;
    this.#renew();
  }

  connectedCallback(): void {
    // What the site set before the script had come would hide the setter.
    const { getToken } = this;
    if (Object.hasOwn(this, 'getToken')) {
      Reflect.deleteProperty(this, 'getToken');
      this.#getToken = getToken;
    }
    this.#renew();
  }

  disconnectedCallback(): void {
    // Elements that are moved leave and come back at once.
    queueMicrotask(() => {
      if (!this.isConnected) this.#close();
    });
  }

  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before !== now) this.#renew();
  }

  /** Says something in the reader's name. */
  say(text: string): void {
    this.#room?.say(text);
  }

  /** Several changes at once make one new room. */
  #renew(): void {
    if (this.#asked) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      this.#close();
      if (this.isConnected && (this.#getToken || this.hasAttribute('token'))) void this.#open();
    });
  }

  #close(): void {
    this.#opening += 1;
    this.#room?.close();
    this.#room = undefined;
    if (this.shadowRoot) render(null, this.shadowRoot);
  }

  async #open(): Promise<void> {
    home.origin = new URL(import.meta.url).origin;
    this.#opening += 1;
    const opening = this.#opening;
    const lang = this.getAttribute('lang');
    const speaking = lang ? speak(lang.startsWith('de') ? 'de' : 'en') : speak();
    let first = await this.#first();
    await Promise.all([speaking, readSettings()]);
    if (opening !== this.#opening || first === undefined) return;
    const room = new Room({
      user: subjectOf(first),
      token: (reason) => {
        const given = first;
        first = undefined;
        return given ?? this.#token(reason);
      },
      place: new FixedPlace(this.getAttribute('conversation') ?? DEFAULT_CONVERSATION),
      listed: false,
    });
    this.#room = room;
    this.#listen(room);
    wantEngine();
    room.start();
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [await sheet];
    if (this.#room === room) render(<EmbeddedChat room={room} lang={strings.lang} />, root);
  }

  /** Whose chat it is has to be known before anything is stored of it. */
  async #first(): Promise<string | undefined> {
    try {
      const token = await this.#token('start');
      if (token) return token;
    } catch (error) {
      console.error('starwire-chat: getToken failed', error);
    }
    this.dispatchEvent(new CustomEvent('ended'));
    return undefined;
  }

  #token(reason: TokenReason): Promise<string | undefined> | string | undefined {
    if (this.#getToken) return this.#getToken(reason);
    // An attribute cannot be asked for another one.
    return reason === 'start' ? (this.getAttribute('token') ?? undefined) : undefined;
  }

  #listen(room: Room): void {
    room.client.on('status', (status) => {
      this.dispatchEvent(new CustomEvent('status', { detail: status.is }));
      if (status.is === 'closed' && status.reason !== 'stopped') this.dispatchEvent(new CustomEvent('ended'));
    });
    room.client.on('frame', (frame) => {
      if (frame.type !== 'message') return;
      const { conversation, role, text } = frame;
      this.dispatchEvent(new CustomEvent<EmbedMessage>('message', { detail: { conversation, role, text } }));
    });
  }
}

/** Constructed sheets need no exception in the site's CSP. */
const sheet = new CSSStyleSheet().replace(css);

import { StarwireChat } from './element.tsx';

/** `<script type="module" src="https://chat.example.com/embed.js">` defines `<starwire-chat>` on any site. */
if (!customElements.get('starwire-chat')) customElements.define('starwire-chat', StarwireChat);

export { StarwireChat };

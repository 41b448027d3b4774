import DOMPurify from 'dompurify';
import { Marked, type Token, type Tokens } from 'marked';
import { isOurFile } from '../links.ts';

/** Raw HTML that is let through: marks without attributes. Anything else is shown as the text it is. */
const PLAIN_TAG =
  /^<\/?(?:b|br|code|del|details|em|hr|i|ins|kbd|mark|p|pre|q|s|samp|small|strong|sub|summary|sup|u|var)\s*\/?>$/i;

/** Markdown to safe HTML. What a model writes is input from outside: every piece passes DOMPurify. */
const marked = new Marked({
  gfm: true,
  breaks: false,
  renderer: {
    heading({ tokens, depth }: Tokens.Heading): string {
      const level = Math.min(6, depth + below);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    checkbox({ checked }: Tokens.Checkbox): string {
      return `<span class="task">${checked ? '☑' : '☐'}</span> `;
    },
    code({ text, lang }: Tokens.Code): string {
      const language = /^[\w+#.-]+/.exec(lang ?? '')?.[0] ?? '';
      return `<pre tabindex="0"><code class="language-${escapeHtml(language)}">${escapeHtml(text)}</code></pre>\n`;
    },
    html({ text }: Tokens.HTML | Tokens.Tag): string {
      return text
        .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
        .replace(/<[^>]*>?/g, (tag) => (PLAIN_TAG.test(tag) ? tag : escapeHtml(tag)));
    },
    image({ href, title, text }: Tokens.Image): string {
      // Pictures from elsewhere would tell that place who is reading; they become links.
      const alt = escapeHtml(text || title || href);
      return isOurFile(href)
        ? `<img src="${escapeHtml(href)}" alt="${alt}" loading="lazy">`
        : `<a href="${escapeHtml(href)}">${alt}</a>`;
    },
  },
});

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

const purifier = DOMPurify(window);

purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName === 'A' && node.hasAttribute('href')) {
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  // Classes of ours only: foreign markup must not dress up as a part of the page.
  const name = node.getAttribute('class');
  if (name !== null && name !== 'task' && !/^language-[\w+#.-]*$/.test(name)) node.removeAttribute('class');
  if (node.nodeName === 'IMG' && !isOurFile(node.getAttribute('src') ?? '')) node.remove();
});

const TAGS =
  'a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var'.split(
    ' ',
  );

const ATTRIBUTES = [
  'href',
  'title',
  'src',
  'alt',
  'loading',
  'align',
  'start',
  'class',
  'dir',
  'lang',
  'open',
  'tabindex',
];

export function lex(text: string): Token[] {
  return marked.lexer(text);
}

/** By how much the headings of what is rendered stand below their marks. */
let below = 0;

/**
 * The HTML of one block, with nothing in it that could act. `level` is that of its heading, where it is one: messages
 * stand below headings of the page.
 */
export function blockHtml(token: Token, level: number): string {
  below = token.type === 'heading' ? level - token['depth'] : level;
  return purifier.sanitize(marked.parser([token]), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}

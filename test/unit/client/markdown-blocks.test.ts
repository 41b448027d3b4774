import { Marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { BlockStream } from '../../../src/web/markdown/blocks.ts';

const marked = new Marked();

const TEXT = `# Title

A paragraph with **bold**
over two lines.

- one
- two

  still two
- three

1. a
   \`\`\`sh
   nested
   \`\`\`

| a | b |
|---|---|
| 1 | 2 |

Setext
------

\`\`\`ts
const a = 1;

const b = 2;
\`\`\`

> quote
> more

See [the docs][1] and [2].

<div>

html

</div>

[1]: https://example.com
[2]: https://example.org

The end.`;

const html = (stream: BlockStream, text: string, done: boolean): string =>
  stream
    .update(text, done)
    .map(({ token }) => marked.parser([token]))
    .join('');

describe('Markdown that streams', () => {
  it('ends as the whole text read at once, wherever it was cut', () => {
    for (const step of [1, 2, 3, 7, 19]) {
      const stream = new BlockStream((text) => marked.lexer(text));
      for (let end = step; end < TEXT.length; end += step) stream.update(TEXT.slice(0, end), false);
      expect(html(stream, TEXT, true)).toBe(marked.parse(TEXT));
    }
  });

  it('lexes only the last block: the cost of a chunk does not grow with the text', () => {
    let lexed = 0;
    const stream = new BlockStream((text) => {
      lexed += text.length;
      return marked.lexer(text);
    });
    const cost = (from: number, to: number): number => {
      lexed = 0;
      for (let n = from; n < to; n += 1) stream.update('A paragraph of some words.\n\n'.repeat(n), false);
      return lexed;
    };
    const early = cost(1, 20);
    cost(20, 480);
    expect(cost(480, 499)).toBeLessThanOrEqual(early * 1.1);
  });

  it('keeps the objects of blocks that do not change, also at the end', () => {
    const stream = new BlockStream((text) => marked.lexer(text));
    const [first] = stream.update('One.\n\nTw', false);
    expect(stream.update('One.\n\nTwo.\n\nThree', false)[0]).toBe(first);
    expect(stream.update('One.\n\nTwo.\n\nThree', true)[0]).toBe(first);
  });

  it('begins anew where the text was replaced, and reads CR LF', () => {
    const stream = new BlockStream((text) => marked.lexer(text));
    stream.update('One.\r\n\r\nTwo.\r\n\r\nThree', false);
    expect(html(stream, 'Other.\r\n\r\nText', false)).toBe('<p>Other.</p>\n<p>Text</p>\n');
  });
});

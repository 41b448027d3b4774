import { Component, type JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Block, BlockStream } from '../markdown/blocks.ts';
import { engine } from '../markdown/engine.ts';
import { levels } from '../markdown/levels.ts';
import { strings } from '../strings.ts';
import { CodeBlock } from './code-block.tsx';

interface BlockProps {
  block: Block;
  level: number;
  live: boolean;
}

/** One block; rendered again only when its text changes. */
class MarkdownBlock extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    return (
      next.block !== this.props.block ||
      next.level !== this.props.level ||
      (next.live !== this.props.live && next.block.token.type === 'code')
    );
  }

  override render({ block, level, live }: BlockProps): JSX.Element | null {
    const { token } = block;
    if (token.type === 'space' || token.type === 'def') return null;
    if (token.type === 'code')
      return <CodeBlock code={String(token['text'])} language={String(token['lang'] ?? '')} live={live} />;
    const html = { __html: engine.peek()?.blockHtml(token, level) ?? '' };
    // Everything has passed DOMPurify.
    if (token.type !== 'table') return <div class="block" dangerouslySetInnerHTML={html} />;
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard too
      <section class="block table" tabIndex={0} aria-label={strings.table}>
        <div dangerouslySetInnerHTML={html} />
      </section>
    );
  }
}

/** Markdown that may still be growing. The list shows no message before the engine is there. */
export function Markdown({ text, live }: { text: string; live: boolean }): JSX.Element {
  const stream = useMemo(() => new BlockStream((tail) => engine.peek()?.lex(tail) ?? []), []);
  const blocks = stream.update(text, !live);
  const last = blocks.length - 1;
  const level = levels(blocks);
  return (
    <div class="md" dir="auto">
      {blocks.map((block, index) => (
        // Blocks only ever grow at the end: their place is their name.
        <MarkdownBlock key={index} block={block} level={level[index] ?? 0} live={live && index === last} />
      ))}
    </div>
  );
}

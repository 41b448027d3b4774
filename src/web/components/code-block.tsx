import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { highlight, wantHighlighter } from '../markdown/highlight.ts';
import { strings } from '../strings.ts';
import { CopyButton } from './copy-button.tsx';

interface CodeProps {
  code: string;
  language: string;
  live: boolean;
}

/** A block of code: its language, a way to copy it, and colours as soon as the highlighter is there. */
export function CodeBlock({ code, language: info, live }: CodeProps): JSX.Element {
  const language = info.split(/\s/, 1)[0] ?? '';
  useEffect(() => {
    if (language !== '') wantHighlighter();
  }, [language]);
  const html = language === '' ? undefined : highlight(code, language, live);
  return (
    <figure class="code">
      <figcaption>
        <span>{language || strings.code.text}</span>
        <CopyButton text={code} label={strings.code.copy} done={strings.code.copied} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard too */}
      <pre dir="ltr" tabIndex={0}>
        {html === undefined ? (
          <code key="plain">{code}</code>
        ) : (
          // highlight.js escapes the code that it marks up.
          <code key="marked" dangerouslySetInnerHTML={{ __html: html }} />
        )}
      </pre>
    </figure>
  );
}

import type { JSX } from 'preact';
import type { ToolInsert } from '../../client/index.ts';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function Part({ title, value }: { title: string; value: unknown }): JSX.Element | null {
  if (value === undefined || value === null) return null;
  return (
    <div class="tool-part">
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long output is scrolled by keyboard too */}
      <pre tabIndex={0}>{shown(value)}</pre>
    </div>
  );
}

/** A tool at work, or what it did. `over`: the reply has ended, so that nothing runs any more. */
export function ToolCard({ insert, over }: { insert: ToolInsert; over: boolean }): JSX.Element {
  const { name, preview, args, result } = insert.frame;
  const status = insert.frame.status === 'running' && over ? 'stopped' : insert.frame.status;
  const head = (
    <>
      <Icon name="wrench" size={16} />
      <span class="tool-name">{name}</span>
      {preview && (
        <span class="tool-preview" dir="auto">
          {preview}
        </span>
      )}
      <span class="tool-status">
        {status === 'running' ? (
          <span class="spinner" />
        ) : (
          <Icon name={status === 'completed' ? 'check' : 'cross'} size={14} />
        )}
        <span>{strings.tool[status]}</span>
      </span>
    </>
  );
  if (args === undefined && result === undefined) {
    return (
      <div class="tool" data-testid="tool" data-status={status}>
        <div class="tool-head">{head}</div>
      </div>
    );
  }
  return (
    <details class="tool" data-testid="tool" data-status={status}>
      <summary class="tool-head">{head}</summary>
      <Part title={strings.tool.args} value={args} />
      <Part title={strings.tool.result} value={result} />
    </details>
  );
}

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon } from '../components/icons.tsx';
import { useRoom } from '../components/room-context.ts';
import type { Wire, WireLine } from '../wire.ts';
import { Outbound } from './outbound.tsx';
import './playground.css';
import { Tabs } from './tabs.tsx';

/** For people who build on Starwire, in English only: what goes by on the wire, and ways to disturb it. */
export function Playground({ wire, close }: { wire: Wire; close(): void }): JSX.Element {
  const { status, client } = useRoom();
  const only = useSignal('');
  useEffect(() => wire.watch(), [wire]);
  const lines = wire.lines.value.filter(({ text }) => text.includes(only.value));
  return (
    <aside class="playground" data-testid="playground-panel" aria-label="Playground" lang="en">
      <header class="playground-head">
        <h2>Playground</h2>
        <span class="playground-status" role="status" data-testid="playground-status">
          {status.value.is}
        </span>
        <button type="button" class="quiet is-small" aria-label="Close the playground" onClick={close}>
          <Icon name="cross" size={16} />
        </button>
      </header>
      <section aria-label="Connection" class="playground-row">
        <button type="button" class="pill" data-testid="kill" onClick={() => wire.kill()}>
          Kill the connection
        </button>
        <button type="button" class="pill" onClick={() => client.retryNow()}>
          Connect now
        </button>
        <a class="pill" href={location.pathname} target="_blank" rel="noopener">
          Open another tab
        </a>
      </section>
      <Tabs />
      <Outbound />
      <section aria-label="Frames" class="playground-frames">
        <div class="playground-row">
          <h3>Frames</h3>
          <input
            type="search"
            aria-label="Only frames with"
            placeholder="Only frames with …"
            value={only.value}
            onInput={({ currentTarget }) => {
              only.value = currentTarget.value;
            }}
          />
          <button
            type="button"
            class="pill"
            onClick={() => {
              wire.lines.value = [];
            }}
          >
            Clear
          </button>
        </div>
        <ol class="wire" data-testid="wire">
          {lines.toReversed().map((line) => (
            <Line key={line.key} line={line} />
          ))}
        </ol>
      </section>
    </aside>
  );
}

const WAYS = { down: '↓', up: '↑', note: '·' } as const;

const SUMMARY_CHARS = 160;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a frame is, and how the rest of it begins. */
function summary(frame: unknown): [string, string] {
  if (typeof frame !== 'object' || frame === null || !('type' in frame)) return ['', String(frame)];
  const { type, ...rest } = frame;
  if ('frames' in rest && Array.isArray(rest.frames))
    return [String(type), rest.frames.map((one) => summary(one)[0]).join(', ')];
  return [String(type), JSON.stringify(rest).slice(0, SUMMARY_CHARS)];
}

function Line({ line }: { line: WireLine }): JSX.Element {
  const open = useSignal(false);
  const frame = parsed(line.text);
  const [type, rest] = summary(frame);
  const time = new Date(line.at).toISOString().slice(11, 23);
  return (
    <li class={`wire-line is-${line.way}`}>
      <details
        onToggle={({ currentTarget }) => {
          open.value = currentTarget.open;
        }}
      >
        <summary>
          <time>{time}</time>{' '}
          <b>
            {WAYS[line.way]} {type}
          </b>{' '}
          <span>{rest}</span>
        </summary>
        {open.value && <pre>{JSON.stringify(frame, null, 2)}</pre>}
      </details>
    </li>
  );
}

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useRoom } from '../components/room-context.ts';

/** One event of each kind, as a service behind Starwire would send it. */
const SAMPLES: Readonly<Record<string, object>> = {
  message: {
    kind: 'message',
    text: 'Hello from **the playground**!',
    buttons: [{ label: 'Hello back', custom_id: 'hello' }],
  },
  file: { kind: 'file', filename: 'hello.txt', mimetype: 'text/plain', data: 'SGVsbG8hCg==' },
  typing: { kind: 'typing', active: true },
  prompt: { kind: 'prompt', prompt_kind: 'choice', question: 'Which way?', choices: ['Left', 'Right'] },
  turn: { kind: 'turn' },
  chunk: { kind: 'chunk', turn: 'turn_…', text: 'Some text ' },
  tool: {
    kind: 'tool',
    turn: 'turn_…',
    tool: 't1',
    name: 'look_up',
    status: 'running',
    preview: 'Looking …',
  },
  done: { kind: 'done', turn: 'turn_…' },
  edit: { kind: 'edit', id: 'msg_…', text: 'Edited.' },
  error: { kind: 'error', turn: 'turn_…', label: 'Trouble', type: 'example', message: 'It broke.', hint: '' },
};

/** Posts events as the service behind this server would (`POST /dev/outbound`). */
export function Outbound(): JSX.Element {
  const { user, current } = useRoom();
  const id = useId();
  const kind = useSignal('message');
  const own = useSignal<string | undefined>(undefined);
  const answer = useSignal('');
  const sample = useComputed(() =>
    JSON.stringify(
      { channel: `webchat:${user.value?.id ?? ''}`, conversation: current.value, ...SAMPLES[kind.value] },
      null,
      2,
    ),
  );

  const post = async (event: Event): Promise<void> => {
    event.preventDefault();
    const response = await fetch('/dev/outbound', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: own.value ?? sample.value,
    }).catch(() => undefined);
    answer.value = response ? await response.text() : 'the server cannot be reached';
  };

  return (
    <form class="playground-outbound" aria-label="Outbound event" onSubmit={(event) => void post(event)}>
      <div class="playground-row">
        <label for={`${id}-kind`}>Outbound event</label>
        <select
          id={`${id}-kind`}
          data-testid="outbound-kind"
          value={kind.value}
          onChange={({ currentTarget }) => {
            kind.value = currentTarget.value;
            own.value = undefined;
          }}
        >
          {Object.keys(SAMPLES).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="submit" class="pill" data-testid="outbound-post">
          Post
        </button>
      </div>
      <textarea
        aria-label="Body of the event"
        data-testid="outbound-body"
        rows={7}
        spellcheck={false}
        value={own.value ?? sample.value}
        onInput={({ currentTarget }) => {
          own.value = currentTarget.value;
        }}
      />
      <output class="playground-answer" data-testid="outbound-answer">
        {answer.value}
      </output>
    </form>
  );
}

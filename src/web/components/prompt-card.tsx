import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { PromptInsert } from '../../client/index.ts';
import type { Choice } from '../../protocol/server-frames.ts';
import { fieldsOf } from '../form-fields.ts';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';
import { PromptForm } from './prompt-form.tsx';
import { useRoom } from './room-context.ts';

interface AskProps {
  prompt: PromptInsert;
  busy: boolean;
  answer(value: unknown): void;
}

const choiceValue = (choice: Choice): string => (typeof choice === 'string' ? choice : choice.value);
const choiceLabel = (choice: Choice): string =>
  typeof choice === 'string' ? choice : (choice.label ?? choice.value);

function Choices({ prompt, busy, answer }: AskProps): JSX.Element {
  const { kind, choices, question } = prompt.frame;
  const offered: { value: unknown; label: string; style: string }[] =
    choices === undefined && kind === 'approval'
      ? [
          { value: 'approve', label: strings.prompt.approve, style: 'is-primary' },
          { value: 'deny', label: strings.prompt.deny, style: '' },
        ]
      : (choices ?? []).map((choice) => ({
          value: choiceValue(choice),
          label: choiceLabel(choice),
          style: '',
        }));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would claim to be a form
    <div class="buttons" role="group" aria-label={question}>
      {offered.map(({ value, label, style }) => {
        const waiting = prompt.answering?.value === value;
        return (
          <button
            key={label}
            type="button"
            class={`choice ${style}`}
            aria-disabled={busy}
            data-pending={waiting ? '' : undefined}
            onClick={() => !busy && answer(value)}
          >
            <span dir="auto">{label}</span>
          </button>
        );
      })}
    </div>
  );
}

function FreeText({ prompt, busy, answer }: AskProps): JSX.Element {
  const id = useId();
  const text = useSignal('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.value.trim() !== '' && !busy) answer(text.value);
  };
  return (
    <form class="prompt-text" onSubmit={submit}>
      <label class="sr-only" for={id}>
        {prompt.frame.question}
      </label>
      <input
        id={id}
        dir="auto"
        autocomplete="off"
        placeholder={strings.prompt.answer}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <button type="submit" class="primary" disabled={busy || text.value.trim() === ''}>
        {busy ? strings.prompt.sending : strings.prompt.answer}
      </button>
    </form>
  );
}

function Ask(props: AskProps): JSX.Element {
  const { kind, schema } = props.prompt.frame;
  switch (kind) {
    case 'choice':
    case 'approval':
      return <Choices {...props} />;
    case 'form':
      return <PromptForm schema={schema ?? {}} busy={props.busy} answer={props.answer} />;
    case 'text':
      return <FreeText {...props} />;
    default:
      return kind satisfies never;
  }
}

/** A filled form in words, under the names that its fields were shown with. */
function filled(schema: Readonly<Record<string, unknown>>, values: ReadonlyMap<string, unknown>): string {
  return fieldsOf(schema)
    .filter(({ name }) => values.has(name))
    .map(({ name, title, options }) => {
      const value = values.get(name);
      const label = options.find((option) => option.value === value)?.label;
      const word = value === true ? strings.prompt.yes : value === false ? strings.prompt.no : String(value);
      return `${title}: ${label ?? word}`;
    })
    .join(' · ');
}

/** An answer in words. */
function said({ frame, closed }: PromptInsert): string {
  const value = closed?.value;
  if (frame.kind === 'approval' && (value === true || value === 'approve')) return strings.prompt.approved;
  if (frame.kind === 'approval' && (value === false || value === 'deny')) return strings.prompt.denied;
  const choice = frame.choices?.find((one) => choiceValue(one) === value);
  if (choice !== undefined) return choiceLabel(choice);
  if (typeof value === 'object' && value !== null)
    return filled(frame.schema ?? {}, new Map(Object.entries(value)));
  return value === undefined ? strings.prompt.answered : String(value);
}

/** A question to the reader. The first answer counts, from whichever tab; then all of them show it. */
export function PromptCard({ prompt }: { prompt: PromptInsert }): JSX.Element {
  const { client } = useRoom();
  const { frame, closed, answering, error } = prompt;
  const until = frame.expires_at === undefined ? undefined : new Date(frame.expires_at * 1000);
  return (
    <section
      class={closed ? 'prompt is-closed' : 'prompt'}
      data-testid="prompt"
      data-id={prompt.id}
      data-kind={frame.kind}
      data-status={closed?.reason ?? 'open'}
    >
      <p class="prompt-question" dir="auto">
        <Icon name="question" size={18} />
        <span>{frame.question}</span>
      </p>
      {closed ? (
        <p class="prompt-answer" dir="auto">
          {closed.reason === 'answered' ? (
            <>
              <Icon name="check" size={16} />
              <span>{said(prompt)}</span>
            </>
          ) : (
            <span class="muted">{strings.prompt[closed.reason]}</span>
          )}
        </p>
      ) : (
        <Ask
          prompt={prompt}
          busy={answering !== undefined}
          answer={(value) => client.answer(prompt.id, value)}
        />
      )}
      {!closed && error && (
        <p class="inline-problem" role="alert">
          {error.message}
        </p>
      )}
      {!closed && until && (
        <p class="field-note">{strings.prompt.until(until.toLocaleTimeString([], { timeStyle: 'short' }))}</p>
      )}
    </section>
  );
}

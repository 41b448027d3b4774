import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { answerOf, type FormField, fieldsOf } from '../form-fields.ts';
import { strings } from '../strings.ts';

interface FormProps {
  schema: Readonly<Record<string, unknown>>;
  busy: boolean;
  answer(value: unknown): void;
}

function Control({ field, id }: { field: FormField; id: string }): JSX.Element {
  const { name, input, required, initial, options } = field;
  const described = field.description === '' ? undefined : `${id}-note`;
  const common = { id, name, required, 'aria-describedby': described };
  const start = initial === undefined || initial === null ? '' : String(initial);
  if (input === 'choice') {
    const chosen = options.findIndex(({ value }) => value === initial);
    return (
      <select {...common} defaultValue={chosen < 0 ? '' : String(chosen)}>
        <option value="">{strings.prompt.choose}</option>
        {options.map(({ label }, index) => (
          <option key={label} value={String(index)}>
            {label}
          </option>
        ))}
      </select>
    );
  }
  if (input === 'boolean')
    return <input {...common} required={false} type="checkbox" defaultChecked={initial === true} />;
  if (input === 'lines' || input === 'json')
    return <textarea {...common} rows={3} dir="auto" defaultValue={start} />;
  if (input === 'number' || input === 'integer') {
    const { min, max } = field;
    return (
      <input
        {...common}
        type="number"
        step={input === 'integer' ? 1 : 'any'}
        min={min}
        max={max}
        defaultValue={start}
      />
    );
  }
  if (input === 'date') return <input {...common} type="date" defaultValue={start} />;
  if (input === 'email') return <input {...common} type="email" dir="auto" defaultValue={start} />;
  if (input === 'url') return <input {...common} type="url" dir="auto" defaultValue={start} />;
  return <input {...common} type="text" dir="auto" defaultValue={start} />;
}

/** A form from a JSON schema; the browser checks what it can before the server does. */
export function PromptForm({ schema, busy, answer }: FormProps): JSX.Element {
  const base = useId();
  const fields = fieldsOf(schema);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement)
      answer(answerOf(fields, new FormData(event.currentTarget)));
  };
  return (
    <form class="prompt-form" onSubmit={submit}>
      {fields.map((field) => {
        const id = `${base}-${field.name}`;
        return (
          <div key={field.name} class={field.input === 'boolean' ? 'field is-check' : 'field'}>
            <label for={id} dir="auto">
              {field.title}
              {field.required && (
                <span class="required" title={strings.prompt.required}>
                  {' '}
                  *
                </span>
              )}
            </label>
            <Control field={field} id={id} />
            {field.description !== '' && (
              <p id={`${id}-note`} class="field-note" dir="auto">
                {field.description}
              </p>
            )}
          </div>
        );
      })}
      <button type="submit" class="primary" disabled={busy}>
        {busy ? strings.prompt.sending : strings.prompt.submit}
      </button>
    </form>
  );
}

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ended, type SignInProblem, signIn } from '../session.ts';
import { strings } from '../strings.ts';
import { Emblem } from './icons.tsx';

/** Asks for a name; what stands behind it is the development sign-in, or a word on where to go instead. */
export function SignIn(): JSX.Element {
  const name = useSignal('');
  const busy = useSignal(false);
  const problem = useSignal<SignInProblem | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const { signIn: words } = strings;

  useEffect(() => input.current?.focus(), []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (name.value.trim() === '' || busy.value) return;
    busy.value = true;
    problem.value = undefined;
    problem.value = await signIn(name.value);
    busy.value = false;
  };

  return (
    <main class="sign-in">
      <form class="sign-in-card" data-testid="signin" onSubmit={(event) => void submit(event)}>
        <Emblem />
        <h1>{words.title}</h1>
        <p class="lead">{words.lead}</p>
        {ended.value && !problem.value && (
          <p class="notice" role="status">
            {words.ended}
          </p>
        )}
        <label for="name">{words.name}</label>
        <input
          id="name"
          data-testid="name"
          ref={input}
          value={name.value}
          onInput={({ currentTarget }) => {
            name.value = currentTarget.value;
          }}
          placeholder={words.placeholder}
          autocomplete="nickname"
          autocapitalize="words"
          spellcheck={false}
          maxLength={64}
          required
          dir="auto"
          aria-describedby={problem.value ? 'problem' : 'note'}
        />
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? words.busy : words.submit}
        </button>
        {problem.value ? (
          <p id="problem" class="notice is-bad" role="alert">
            {words[problem.value]}
          </p>
        ) : (
          <p id="note" class="note">
            {words.local}
          </p>
        )}
      </form>
    </main>
  );
}

import './styles/index.css';
import { useComputed } from '@preact/signals';
import { type JSX, render } from 'preact';
import { Chat } from './components/chat.tsx';
import { SignIn } from './components/sign-in.tsx';
import { restoreSession, session, signIns } from './session.ts';
import { readSettings } from './settings.ts';
import { speak, strings } from './strings.ts';
import { subjectOf } from './subject.ts';

function App(): JSX.Element {
  // Renewing a token changes the session, but not who it is for.
  const user = useComputed(() => session.value && subjectOf(session.value.token));
  return user.value === undefined ? <SignIn /> : <Chat key={signIns.value} user={user.value} />;
}

async function start(): Promise<void> {
  void readSettings();
  await speak();
  restoreSession();
  document.documentElement.lang = strings.lang;
  const root = document.getElementById('app');
  if (root) render(<App />, root);
  // The shell opens without a network; what it needs is kept once the page has what it needs itself.
  await navigator.serviceWorker?.register('/sw.js').catch(() => undefined);
}

void start();

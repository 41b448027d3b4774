import './styles/index.css';
import { useComputed } from '@preact/signals';
import { type JSX, render } from 'preact';
import { Chat } from './components/chat.tsx';
import { SignIn } from './components/sign-in.tsx';
import { restoreSession, session, signIns, subjectOf } from './session.ts';

function App(): JSX.Element {
  // Renewing a token changes the session, but not who it is for.
  const user = useComputed(() => session.value && subjectOf(session.value.token));
  return user.value === undefined ? <SignIn /> : <Chat key={signIns.value} user={user.value} />;
}

restoreSession();
const root = document.getElementById('app');
if (root) render(<App />, root);

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { strings } from '../strings.ts';
import { useRoom } from './room-context.ts';

/** Tells screen readers when a reply begins and ends, and nothing in between: a stream read aloud is noise. */
export function Announcer(): JSX.Element {
  const { client, current } = useRoom();
  const words = useSignal('');
  useEffect(
    () =>
      client.on('frame', (frame) => {
        if (frame.type !== 'turn' || frame.conversation !== current.peek() || client.status.is !== 'live')
          return;
        if (frame.status === 'running') words.value = strings.reply.began;
        else if (frame.status === 'completed') words.value = strings.reply.ended;
        else if (frame.status === 'cancelled') words.value = strings.reply.stopped;
        else if (frame.status === 'expired') words.value = strings.reply.expired;
        else if (frame.status === 'failed') words.value = frame.error?.label || strings.reply.failed;
      }),
    [client, current],
  );
  return (
    <div class="sr-only" aria-live="polite" data-testid="announcer">
      {words.value}
    </div>
  );
}

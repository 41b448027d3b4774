import { computed, effect, signal } from '@preact/signals';
import type { MessageFrame } from '../protocol/server-frames.ts';
import type { Room } from './room.ts';
import { readLocal, writeLocal } from './storage.ts';
import { strings } from './strings.ts';
import { titleOf } from './titles.ts';

const KEY = 'starwire.notify';
/** Time for another tab, in which the message is being read, to say so. */
const ELSEWHERE_MS = 400;
const BODY_CHARS = 180;

/** Whether the reader wants notifications; the browser's own permission is asked for when they are turned on. */
export const notifying = signal(readLocal(KEY) === 'true' && allowed());

function allowed(): boolean {
  return 'Notification' in window && Notification.permission === 'granted';
}

export function canNotify(): boolean {
  return 'Notification' in window && Notification.permission !== 'denied';
}

export async function toggleNotifying(): Promise<void> {
  const wanted = !notifying.peek();
  notifying.value = wanted && (await Notification.requestPermission()) === 'granted';
  writeLocal(KEY, notifying.value ? 'true' : undefined);
}

/** Keeps read marks, the title with its badge, and notifications while the room is open. Returns how to stop. */
export function watchAlerts(room: Room): () => void {
  const visible = signal(!document.hidden);
  const listening = new AbortController();
  const { signal: until } = listening;
  document.addEventListener(
    'visibilitychange',
    () => {
      visible.value = !document.hidden;
    },
    { signal: until },
  );
  const count = computed(
    () => room.list.shown.value.filter((one) => isUnread(room, one.id) && !seen(one.id)).length,
  );
  const seen = (id: string): boolean => visible.value && id === room.current.value;
  const ends = [
    effect(() => {
      const here = room.list.get(room.current.value);
      if (here && visible.value) room.marks.mark(here.id, here.updated_at);
    }),
    effect(() => {
      const here = room.list.get(room.current.value);
      const name = here ? `${titleOf(here)} · ${strings.app}` : strings.app;
      document.title = count.value > 0 ? `(${count.value}) ${name}` : name;
    }),
    effect(() => badge(count.value)),
    room.client.on('frame', (frame) => {
      if (frame.type === 'message' && frame.role === 'assistant' && room.client.status.is === 'live')
        later(room, frame);
    }),
  ];
  return () => {
    listening.abort();
    for (const end of ends) end();
    document.title = strings.app;
    badge(0);
  };
}

/** Whether the last word of a conversation is the other side's, and unread. */
export function isUnread(room: Room, id: string): boolean {
  const one = room.list.get(id);
  return (
    one?.last_message !== undefined &&
    one.last_message.role !== 'user' &&
    !room.marks.isRead(id, one.updated_at)
  );
}

function badge(count: number): void {
  if (!('setAppBadge' in navigator)) return;
  // Refused where the page is no installed app.
  (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => undefined);
}

function later(room: Room, { id, conversation, text, sender }: MessageFrame): void {
  if (!document.hidden || !notifying.peek() || !allowed()) return;
  setTimeout(() => {
    if (!document.hidden || !isUnread(room, conversation)) return;
    const who = sender === 'star' ? strings.star : sender;
    // One tag: however many tabs there are, one notification is seen.
    const shown = new Notification(who, { body: text.slice(0, BODY_CHARS), tag: id, icon: '/favicon.svg' });
    shown.onclick = () => {
      window.focus();
      room.place.open(conversation);
      shown.close();
    };
  }, ELSEWHERE_MS);
}

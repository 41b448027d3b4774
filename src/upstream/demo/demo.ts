import type { Delivery } from '../../protocol/delivery.ts';
import type { Call, CallOptions, ReplyEvent } from '../upstream.ts';
import { ANSWERS, HELP, SCENES, type Scene } from './scenes.ts';

/**
 * The built-in upstream (`UPSTREAM_MODE=demo`): called as any other, so that every feature can be seen with nothing
 * configured. A word of the message chooses the scene.
 */
export const demo: Call = async function* (delivery, options) {
  options.accepted();
  if (delivery.type === 'cancel') return;
  yield* sceneOf(delivery)(delivery, pacer(options));
};

/** Waits between words; a stopped turn ends the scene. */
export type Pause = (ms: number) => Promise<void>;

function pacer({ signal }: CallOptions): Pause {
  return (ms) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
    });
}

function sceneOf(delivery: Delivery): Scene {
  if (delivery.type === 'action') return ANSWERS.action;
  if (delivery.type === 'answer') return ANSWERS.answer;
  const words = wordsOf(delivery);
  const word = words.find((one) => Object.hasOwn(SCENES, one));
  return word === undefined ? (words.includes('help') ? HELP : ANSWERS.anything) : (SCENES[word] ?? HELP);
}

function wordsOf({ text }: Delivery): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

export type DemoEvents = AsyncGenerator<ReplyEvent>;

import type { Button, Choice, FileFrame, PromptFrame } from '../protocol/server-frames.ts';

/** What an OpenAI client cannot show otherwise, as Markdown (P-OA-5). */

/** Buttons as a list; empty where there are none. */
export function buttonList(buttons: Button[] = []): string {
  return buttons.map(({ emoji, label }) => `- ${emoji ? `${emoji} ` : ''}${label}`).join('\n');
}

/** A link, or for an image the image itself. */
export function fileLink({ filename, mimetype, url }: FileFrame): string {
  const name = filename.replaceAll(/[[\]\\]/g, '\\$&');
  return `${mimetype.startsWith('image/') ? '!' : ''}[${name}](${url})`;
}

export function promptText({ question, choices }: PromptFrame): string {
  const label = (choice: Choice): string =>
    typeof choice === 'string' ? choice : (choice.label ?? choice.value);
  return choices ? `${question}\n\n${choices.map((choice) => `- ${label(choice)}`).join('\n')}` : question;
}

/** FNV-1a over code units, in 32 bits: enough to tell a text from another one that took its place. */
export const EMPTY = 0x811c9dc5;

export function fingerprint(text: string, from = EMPTY): number {
  let sum = from;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}

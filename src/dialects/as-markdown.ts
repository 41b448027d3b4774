import type { Button, Choice, FileFrame, PromptFrame } from '../protocol/server-frames.ts';

/** What the clients of some dialects cannot show otherwise, as Markdown (P-OA-5). */

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

/** Parts with a blank line between them; empty ones leave none. */
export function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

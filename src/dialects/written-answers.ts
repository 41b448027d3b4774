import type { PromptFrame } from '../protocol/server-frames.ts';

const YES = new Set(['yes', 'y', 'ok', 'approve', 'true']);
const NO = new Set(['no', 'n', 'deny', 'false']);

/**
 * What a client that can only write text means by it, while a question is open: an answer, by the choice's value, label or
 * number; undefined where it is none, and so a message like any other.
 */
export function answerOf(
  { prompt, kind, choices }: PromptFrame,
  text: string,
): { prompt: string; value: unknown } | undefined {
  const said = text.trim().toLowerCase();
  if (choices) {
    const options = choices.map((choice) => (typeof choice === 'string' ? { value: choice } : choice));
    const chosen =
      options.find(({ value, label }) => [value, label].some((one) => one?.toLowerCase() === said)) ??
      (/^\d{1,2}$/.test(said) ? options[Number(said) - 1] : undefined);
    return chosen && { prompt, value: chosen.value };
  }
  if (kind === 'text') return { prompt, value: text };
  if (kind === 'approval' && (YES.has(said) || NO.has(said))) return { prompt, value: YES.has(said) };
  return undefined;
}

import type { PromptClosedFrame, ServerFrame } from '../protocol/server-frames.ts';

/**
 * The questions that a connection knows of. What closes one may be in a stretch of the journal that a `reset` leaves out: those that
 * the open state behind it does not have any more are closed then, before `ready`.
 */
export class OpenQuestions {
  readonly #open = new Set<string>();
  /** Those of before a `reset`. */
  #doubted = new Set<string>();

  /** The frame, and before it what it tells between the lines. */
  pass(frame: ServerFrame): ServerFrame[] {
    switch (frame.type) {
      case 'reset':
        this.#doubted = new Set(this.#open);
        break;
      case 'prompt':
        this.#open.add(frame.prompt);
        this.#doubted.delete(frame.prompt);
        break;
      case 'prompt_closed':
        this.#open.delete(frame.prompt);
        this.#doubted.delete(frame.prompt);
        break;
      case 'ready': {
        const closed = [...this.#doubted].map(
          (prompt): PromptClosedFrame => ({
            type: 'prompt_closed',
            seq: frame.seq,
            prompt,
            reason: 'cancelled',
          }),
        );
        for (const { prompt } of closed) this.#open.delete(prompt);
        this.#doubted.clear();
        return [...closed, frame];
      }
    }
    return [frame];
  }
}

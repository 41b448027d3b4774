import { EMPTY, fingerprint } from '../protocol/fingerprint.ts';
import { wellCut } from '../protocol/text.ts';
import { type ToolCall, toolCallPieces } from '../protocol/tool-calls.ts';
import type { OpenAiError, OpenAiEvent, OpenAiState } from './openai.ts';

/** An event and the state of the stream after it. */
export interface Sent {
  event: OpenAiEvent;
  state: OpenAiState;
}

/** P-OA-3: each event stays under 64 KiB, whatever its text escapes to (six bytes a code unit at worst). */
const PIECE = 8_192;

/**
 * The events of one frame. The turn's own text is told apart by its lengths; of everything else the state counts the parts, so
 * that a resumed stream leaves out exactly what had gone (P-OA-8).
 */
export class OpenAiWriter {
  #state: OpenAiState;
  /** Parts that went before the stream was resumed. */
  readonly #gone: number;
  #parts = 0;
  readonly #sent: Sent[] = [];
  /** What holds once the whole frame has been given. */
  #after: Partial<OpenAiState> = {};

  constructor(state: OpenAiState) {
    this.#state = state;
    this.#gone = state.part;
  }

  #send(event: OpenAiEvent, change: Partial<OpenAiState>): void {
    this.#state = { ...this.#state, ...change };
    this.#sent.push({ event, state: this.#state });
  }

  /** An event that no length tells apart. */
  #part(event: (state: OpenAiState) => OpenAiEvent, change: Partial<OpenAiState>): void {
    this.#parts += 1;
    if (this.#parts > this.#gone) this.#send(event(this.#state), { ...change, part: this.#parts });
  }

  /** New text of the turn. */
  text(kind: 'text' | 'reasoning', text: string): void {
    for (const piece of wellCut(text, PIECE)) {
      const state = this.#state;
      if (kind === 'reasoning') {
        this.#send(delta(state, { reasoning_content: piece }), {
          reasoning: state.reasoning + piece.length,
          begun: true,
        });
        continue;
      }
      const content = state.block ? `\n\n${piece}` : piece;
      this.#send(delta(state, { content }), {
        ...{ text: state.text + piece.length, begun: true, said: true, block: false },
        ...grown(state, piece),
      });
    }
  }

  /** Something that stands apart from the text around it. */
  block(text: string): void {
    const gap = this.#state.said ? '\n\n' : '';
    for (const [i, piece] of wellCut(text, PIECE).entries()) {
      this.#part((state) => delta(state, { content: i === 0 ? gap + piece : piece }), {
        ...{ begun: true, said: true, block: true },
      });
    }
  }

  /** The reply's buttons, which every frame of the reply repeats: listed where they are not those that were. */
  buttons(list: string): void {
    if (list === '') return;
    const sum = fingerprint(list);
    if (sum !== this.#state.buttons) this.block(list);
    this.#after = { ...this.#after, buttons: sum };
  }

  /** Parts of tool calls, which the client executes. */
  toolCalls(parts: readonly ToolCall[]): void {
    for (const tool_calls of toolCallPieces(parts))
      this.#part((state) => delta(state, { tool_calls }), { begun: true });
  }

  /** The turn's whole text as it stands now: what is new of it; `otherwise` where it does not go on from what was sent. */
  replace(text: string, otherwise: string): void {
    if (goesOn(this.#state, text)) this.text('text', text.slice(this.#state.text));
    else this.block(otherwise);
  }

  /** After the frame, `text` is the turn's whole text. */
  stands(text: string): void {
    this.#after = { ...this.#after, text: text.length, ...grown(NOTHING, text) };
  }

  end(finish_reason: string, usage: Record<string, unknown>): void {
    if (!this.#state.begun) this.#send(delta(this.#state, { content: '' }), { begun: true });
    this.#part((state) => chunk(state, [{ index: 0, delta: {}, finish_reason }]), {});
    if (this.#state.include_usage) this.#part((state) => ({ ...chunk(state, []), usage }), {});
    this.#send('[DONE]', { finished: true });
  }

  /** P-OA-4: a failure after the stream began is told in it, and the stream ends cleanly. */
  fail({ message, type, code }: OpenAiError): void {
    this.#part(() => ({ error: { message, type, param: null, code } }), {});
    this.#send('[DONE]', { finished: true });
  }

  result(): [OpenAiState, Sent[]] {
    const part = this.#parts === 0 ? this.#gone : 0;
    return [{ ...this.#state, ...this.#after, part }, this.#sent];
  }
}

const NOTHING = { spaces: 0, sum: EMPTY };

/** Spaces at the end count apart: services that send their whole text at the end often trim it. One space is any other. */
function grown({ spaces, sum }: Pick<OpenAiState, 'spaces' | 'sum'>, piece: string) {
  const kept = piece.trimEnd();
  if (kept === '') return { spaces: spaces + piece.length, sum };
  const added = ' '.repeat(spaces) + kept.replaceAll(/\s/g, ' ');
  return { spaces: piece.length - kept.length, sum: fingerprint(added, sum) };
}

/** Whether `text` is what was sent, or more of it, but for spaces at the end. */
function goesOn({ text: sent, spaces, sum }: OpenAiState, text: string): boolean {
  const kept = sent - spaces;
  if (text.length < kept || text.slice(kept, sent).trim() !== '') return false;
  return grown(NOTHING, text.slice(0, kept)).sum === sum;
}

function delta(state: OpenAiState, fields: Record<string, unknown>): OpenAiEvent {
  const role = state.begun ? {} : { role: 'assistant' };
  return chunk(state, [{ index: 0, delta: { ...role, ...fields }, finish_reason: null }]);
}

function chunk({ id, model, created }: OpenAiState, choices: object[]) {
  return { id, object: 'chat.completion.chunk', created, model, choices };
}

import type {
  ConversationFrame,
  EditFrame,
  MessageFrame,
  PromptFrame,
  ServerFrame,
  ToolFrame,
  TurnFrame,
} from '../../protocol/server-frames.ts';
import { isTerminal } from '../../protocol/server-frames.ts';
import { wellCut } from '../../protocol/text.ts';
import { buttonList, fileLink, joined } from '../as-markdown.ts';
import { apperror, EMPTY_RESPONSE, errorOf, hermesUsage } from './ends.ts';
import { farther, seqOf } from './place.ts';
import { approval, clarify, isApproval } from './prompts.ts';
import type { Placed, RunState } from './run.ts';

/** An event of a run; one without `seq` has no id. */
export interface RunEvent {
  event: string;
  seq?: number;
  data: Record<string, unknown>;
  /** `data.session` is to be the session as it stands. */
  session?: true;
}

/** Code units of one `token` event. */
const PIECE = 8_192;

/** The events of one frame. */
export class RunWriter {
  #state: RunState;
  readonly #events: RunEvent[] = [];

  constructor(state: RunState) {
    this.#state = state;
  }

  result(): [RunState, RunEvent[]] {
    return [this.#state, this.#events];
  }

  #change(change: Partial<RunState>): void {
    this.#state = { ...this.#state, ...change };
  }

  #give(event: string, data: Record<string, unknown>, session?: true): void {
    const { at, from, last } = this.#state;
    const seq = seqOf(farther(from, at));
    // Beyond what a number can hold there are no ids: whoever resumes is told the rest again.
    this.#events.push({ event, ...(seq > last ? { seq } : {}), data, ...(session ? { session } : {}) });
    this.#change({ last: Math.max(last, seq) });
  }

  /** One more event of the run; given where the client has not had it. */
  #own(event: string, data: Record<string, unknown>, session?: true): void {
    if (this.#count()) this.#give(event, data, session);
  }

  /** Counts one, and says whether it is new to the client. */
  #count(): boolean {
    const { at, from } = this.#state;
    this.#change({ at: { ...at, events: at.events + 1 } });
    return at.events >= from.events;
  }

  reasoning(offset: number, text: string): void {
    const { at } = this.#state;
    for (const piece of wellCut(text.slice(Math.max(0, at.reasoning - offset)), PIECE))
      this.#grow('reasoning', piece);
  }

  #grow(kind: 'text' | 'reasoning', piece: string): void {
    const { at, from, said } = this.#state;
    const start = at[kind];
    this.#change({ at: { ...at, [kind]: start + piece.length } });
    if (kind === 'text') this.#change({ said: said + piece });
    const text = piece.slice(Math.max(0, from[kind] - start));
    if (text !== '') this.#give(kind === 'text' ? 'token' : 'reasoning', { text });
  }

  /** Text that came; what overlaps has been told. */
  text(offset: number, text: string): void {
    const { said } = this.#state;
    this.#speak(said + text.slice(Math.max(0, said.length - offset)));
  }

  /** Tells the text up to the end of `whole`, and what has its place in between. */
  #speak(whole: string): void {
    for (;;) {
      const [next] = this.#state.held;
      const until = next === undefined ? whole.length : Math.min(placeIn(next.frame), whole.length);
      for (const piece of wellCut(whole.slice(this.#state.said.length, until), PIECE))
        this.#grow('text', piece);
      if (next === undefined || placeIn(next.frame) > whole.length) return;
      this.#change({ held: this.#state.held.slice(1) });
      this.#take(next);
    }
  }

  #release(): void {
    const { held } = this.#state;
    this.#change({ held: [] });
    for (const placed of held) this.#take(placed);
  }

  /** A frame of the journal: at its place in the text, and never before the one that was journalled before it. */
  durable(placed: Placed): void {
    const { held, said } = this.#state;
    const { frame } = placed;
    const wait = held.length > 0 || placeIn(frame) > said.length;
    if (wait && !this.#bringsText(frame)) this.#change({ held: [...held, placed] });
    else this.#take(placed);
  }

  /** Frames that bring the text for which others wait, or its end. */
  #bringsText(frame: ServerFrame): boolean {
    if (frame.type === 'turn') return isTerminal(frame.status);
    return (frame.type === 'message' || frame.type === 'edit') && frame.id === this.#state.reply;
  }

  #take({ frame, at }: Placed): void {
    switch (frame.type) {
      case 'message':
        return this.#message(frame);
      case 'edit':
        return this.#replace(frame);
      case 'tool':
        return this.#tool(frame);
      case 'file':
        return this.#shows(fileLink(frame));
      case 'prompt':
        return this.#prompt(frame, at);
      case 'prompt_closed':
        return this.#change({ approvals: this.#state.approvals.filter((one) => one !== frame.prompt) });
      case 'conversation':
        return this.#title(frame);
      case 'turn':
        return this.#turn(frame);
    }
  }

  #message(frame: MessageFrame): void {
    if (frame.id !== this.#state.reply) return this.#shows(joined([frame.text, buttonList(frame.buttons)]));
    this.reasoning(0, frame.reasoning ?? '');
    this.#replace(frame);
  }

  /** The reply's whole text as it stands now. What was told cannot be taken back: another text follows as a message. */
  #replace({ text }: MessageFrame | EditFrame): void {
    const { said } = this.#state;
    const goesOn = text.startsWith(said) || (said.startsWith(text) && said.slice(text.length).trim() === '');
    if (goesOn) this.#speak(text);
    this.#release();
    const fresh = this.#count();
    if (goesOn) return;
    const { at, from } = this.#state;
    this.#change({
      said: text,
      at: { ...at, text: text.length },
      ...(fresh ? { from: { ...from, text: 0 } } : {}),
    });
    if (fresh) this.#give('interim_assistant', { text, already_streamed: false });
  }

  /** Something beside the reply. */
  #shows(text: string): void {
    this.#change({ shown: true });
    this.#own('interim_assistant', { text, already_streamed: false });
  }

  #tool({ tool, name, status, preview, args }: ToolFrame): void {
    if (name === '_thinking') return this.#own('reasoning', { text: preview ?? '' });
    // Names that begin so are the agent's own business.
    if (name.startsWith('_')) return;
    const { tools } = this.#state;
    const known = args ?? tools[tool];
    if (args !== undefined) this.#change({ tools: { ...tools, [tool]: args } });
    const isOver = status !== 'running';
    this.#own(isOver ? 'tool_complete' : 'tool', {
      event_type: isOver ? 'tool.completed' : 'tool.started',
      name,
      preview: preview ?? null,
      args: typeof known === 'object' && known !== null && !Array.isArray(known) ? known : {},
      is_error: status === 'failed',
      tid: tool,
    });
  }

  #prompt(frame: PromptFrame, at: number): void {
    const { prompts, approvals } = this.#state;
    if (prompts.includes(frame.prompt)) return;
    this.#change({ prompts: [...prompts, frame.prompt] });
    if (!isApproval(frame)) return this.#own('clarify', clarify(frame, at));
    const pending = [...approvals, frame.prompt];
    this.#change({ approvals: pending });
    this.#own('approval', approval(frame, pending.length));
  }

  #title({ title = '' }: ConversationFrame): void {
    this.#own('title', { session_id: this.#state.session, title });
  }

  #turn(frame: TurnFrame): void {
    const { session: session_id } = this.#state;
    if (frame.status === 'queued' && !frame.snapshot)
      return this.#own('context_status', {
        session_id,
        prefill: { status: 'not_configured', source: null, label: '', message_count: 0 },
      });
    if (!isTerminal(frame.status)) return;
    this.#release();
    this.#end(frame);
    this.#change({ ended: true });
  }

  #end(frame: TurnFrame): void {
    const { session: session_id, said, shown } = this.#state;
    if (frame.status === 'cancelled')
      return this.#own(
        'cancel',
        { message: 'Cancelled by user', type: 'cancelled', status: 'cancelled', session_id },
        true,
      );
    const isEmpty = said.trim() === '' && !shown;
    if (frame.status !== 'completed' || isEmpty) {
      const error = frame.status === 'completed' ? EMPTY_RESPONSE : errorOf(frame);
      return this.#own(
        'apperror',
        { ...apperror(error), session_id, terminal_session_persisted: true },
        true,
      );
    }
    const usage = hermesUsage(frame.usage);
    if (frame.usage)
      this.#own('metering', {
        ...{ session_id, tps: 0, tps_available: false, estimated: false, high: 0, low: 0, active: false },
        usage,
      });
    const limited = frame.finish_reason === 'tool_limit_reached';
    const terminal_state = limited ? 'tool_limit_reached' : 'completed';
    this.#own('done', { usage, terminal_state }, true);
    this.#own('stream_end', { session_id });
  }
}

/** Where in the reply's text a frame belongs. */
function placeIn(frame: ServerFrame): number {
  return frame.type === 'tool' ? frame.offset : 0;
}

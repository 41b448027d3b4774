import { StarwireError } from '../protocol/errors.ts';
import { BOT } from '../protocol/identity.ts';
import type {
  MessageFrame,
  PromptClosedFrame,
  TurnError,
  TurnFrame,
  TurnStatus,
  Usage,
} from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import type { Call } from './outbox.ts';
import type { OpenTurn, TurnState } from './turns.ts';

/** The life of a turn: queued, running, one terminal frame (P-WS-7). All functions run inside `core.commit`. */

type Terminal = Exclude<TurnStatus, 'queued' | 'running'>;

export interface Ending {
  usage?: Usage;
  finish_reason?: string;
  error?: TurnError;
  /** Replaces the streamed text. */
  text?: string;
}

/** Refuses one turn more than a user may have open. Call it before anything is changed. */
export function requireRoomForTurn(core: Core): void {
  const { open_turns } = core.ports.limits;
  if (core.turns.size >= open_turns) {
    throw new StarwireError(
      'rate_limited',
      `there are already ${open_turns} open turns; wait for one to end`,
      { retry_after: 1 },
    );
  }
}

/** Opens a turn, journals it as `queued`, and leaves a call for its own object. */
export function openTurn(
  core: Core,
  turn: string,
  conversation: string,
  call: Call,
  again: Pick<TurnState, 'asked' | 'replaces'> = {},
): OpenTurn {
  const runs = call.type === 'start';
  const open = begin(core, turn, conversation, 'queued', { ...again, runs });
  core.outbox.add(turn, conversation, call);
  return open;
}

/** Opens the turn of the very object that the channel is in, which starts it itself: there is nobody to call. */
export function openOwnTurn(
  core: Core,
  turn: string,
  conversation: string,
  status: 'queued' | 'running',
): void {
  begin(core, turn, conversation, status, { runs: true, started: true });
}

function begin(
  core: Core,
  turn: string,
  conversation: string,
  status: 'queued' | 'running',
  facts: Partial<TurnState>,
): OpenTurn {
  const open = core.turns.add(turn, core.ports.newId('msg'), conversation, core.now);
  Object.assign(open.state, facts);
  emitStatus(core, open, status);
  return open;
}

function emitStatus(core: Core, open: OpenTurn, status: TurnStatus, ending: Ending = {}): TurnFrame {
  const { turn, conversation, message, replaces } = open.state;
  const { usage, finish_reason, error } = ending;
  const frame = core.emit<TurnFrame>({
    type: 'turn',
    turn,
    conversation,
    message,
    status,
    ...(usage ? { usage } : {}),
    ...(finish_reason ? { finish_reason } : {}),
    ...(error ? { error } : {}),
    ...(replaces === undefined ? {} : { replaces }),
  });
  open.state.status = status;
  open.state.opened ||= frame.seq;
  open.state.seq = frame.seq;
  open.dirty = true;
  return frame;
}

/** The upstream gave a sign of life: the first one makes the turn `running`. */
export function alive(core: Core, open: OpenTurn): void {
  open.state.active_at = core.now;
  open.state.accepted = true;
  open.state.started = true;
  open.state.attempted = true;
  if (open.state.status === 'queued') emitStatus(core, open, 'running');
}

/** Whether the next event of this turn writes to the journal only because the turn was not running yet. */
export function isRunning(open: OpenTurn): boolean {
  return open.state.status === 'running';
}

/** The first call of the upstream is over; where it accepted, silence counts from now on. */
export function attempted(core: Core, turn: string, accepted: boolean): void {
  const open = core.turns.get(turn);
  if (!open || (open.state.attempted && open.state.accepted)) return;
  open.state.attempted = true;
  if (accepted && !open.state.accepted) {
    open.state.accepted = true;
    open.state.active_at = core.now;
  }
  open.dirty = true;
}

/** Ends a turn: its final message, where there is any text, and the one terminal frame, adjacent (P-WS-7). */
export function finish(core: Core, open: OpenTurn, status: Terminal, ending: Ending = {}): TurnFrame {
  const { state } = open;
  for (const kind of ['reasoning', 'text'] as const) core.chunk(open, kind, open[kind].end());
  const text = ending.text ?? open.text.shown;
  const reasoning = open.reasoning.shown;
  // A reply that came as one message is already there: only what has changed since is written again.
  const said =
    state.reply?.length === open.text.length &&
    state.reply.reasoning === open.reasoning.length &&
    ending.text === undefined;
  if (!said && (text !== '' || reasoning !== '' || state.reply !== undefined)) {
    core.emit<MessageFrame>({
      ...reply(core, open, text),
      ...(state.reply?.buttons ? { buttons: state.reply.buttons } : {}),
      ...(reasoning === '' ? {} : { reasoning }),
      ...(status === 'completed' ? {} : { partial: true }),
    });
  }
  const frame = emitStatus(core, open, status, ending);
  if (status === 'failed' || status === 'expired') core.ports.broken?.(frame);
  if (status !== 'completed') closePrompts(core, state.turn);
  core.outbox.drop(state.turn);
  // Stored at once, so that nothing later in the same transaction finds it open.
  core.turns.store(open, core.now);
  return frame;
}

/** The reply of a turn as a message. */
export function reply(core: Core, { state }: OpenTurn, text: string) {
  return {
    type: 'message' as const,
    id: state.message,
    conversation: state.conversation,
    role: 'assistant' as const,
    sender: BOT.user_id,
    text,
    timestamp: core.timestamp,
    turn: state.turn,
    ...(state.replaces === undefined ? {} : { replaces: state.replaces }),
  };
}

function closePrompts(core: Core, turn: string): void {
  for (const { frame } of [...core.prompts.open]) {
    if (frame.turn === turn) closePrompt(core, frame.prompt, 'cancelled');
  }
}

export function closePrompt(
  core: Core,
  prompt: string,
  reason: 'answered' | 'expired' | 'cancelled',
  value?: unknown,
): number {
  const frame = core.emit<PromptClosedFrame>(
    { type: 'prompt_closed', prompt, reason, ...(value === undefined ? {} : { value }) },
    core.prompts.get(prompt)?.frame.conversation,
  );
  core.prompts.close(prompt, core.now);
  return frame.seq;
}

/** The open turn of that name. Throws `turn_finished` or `not_found`. */
export function requireOpen(core: Core, turn: string): OpenTurn {
  const open = core.turns.get(turn);
  if (open) return open;
  const known = core.turns.find(turn);
  if (known && isTerminal(known.status)) {
    throw new StarwireError('turn_finished', `the turn has ended: it is ${known.status}`);
  }
  throw new StarwireError('not_found', 'there is no such turn');
}

/** Cancels a turn: the fact is stored, its text is kept, and the upstream is told (P-WS-11). */
export function cancel(core: Core, turn: string): void {
  stop(core, requireOpen(core, turn), 'cancelled');
}

/** Ends a turn from our side and leaves a call that stops its upstream, where that was started. */
export function stop(core: Core, open: OpenTurn, status: Terminal, ending: Ending = {}): void {
  const { turn, started, runs, conversation } = open.state;
  finish(core, open, status, ending);
  if (started || !runs) core.outbox.add(turn, conversation, { type: 'cancel' });
}

/** When the turn runs out of time if nothing more is heard (Unix ms). An open prompt waits for a person, not for silence. */
export function deadline(core: Core, { state }: OpenTurn): number {
  const { turn_silence_ms, turn_accept_ms } = core.ports.limits;
  let at = state.active_at + (state.accepted ? turn_silence_ms : turn_accept_ms);
  for (const { frame, expires_at } of core.prompts.open) {
    if (frame.turn === state.turn) at = Math.max(at, expires_at + turn_silence_ms);
  }
  return at;
}

/** Ends what has run out of time: turns whose upstream is silent (P-UP-3, `expired`), and prompts. */
export function expire(core: Core): void {
  for (const open of [...core.turns.open]) {
    if (deadline(core, open) > core.now) continue;
    if (open.state.accepted) stop(core, open, 'expired', { error: SILENT });
    else stop(core, open, 'failed', { error: NEVER_ACCEPTED });
  }
  for (const { frame, expires_at } of [...core.prompts.open]) {
    if (expires_at <= core.now) closePrompt(core, frame.prompt, 'expired');
  }
}

const SILENT: TurnError = {
  label: 'No answer',
  type: 'upstream_silent',
  message: 'The service accepted the message and then said nothing for too long.',
  hint: 'Send the message again.',
};

const NEVER_ACCEPTED: TurnError = {
  label: 'Service unreachable',
  type: 'upstream_unreachable',
  message: 'The service did not accept the message in time.',
  hint: 'Send the message again later.',
};

/** When `expire` has something to do next (Unix ms); undefined where nothing is open. */
export function nextExpiry(core: Core): number | undefined {
  const times = [...core.prompts.open].map(({ expires_at }) => expires_at);
  for (const open of core.turns.open) times.push(deadline(core, open));
  return times.length === 0 ? undefined : Math.min(...times);
}

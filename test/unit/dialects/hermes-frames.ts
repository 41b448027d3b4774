import { hermesDown, type RunState, runState } from '../../../src/dialects/hermes/run.ts';
import type { RunEvent } from '../../../src/dialects/hermes/run-writer.ts';
import type { ServerFrame, ToolFrame } from '../../../src/protocol/server-frames.ts';
import { turn } from './frames.ts';

export const RUN = { turn: 'req_1', conversation: 'default', message: 'msg_1' };
export const QUEUED = turn('queued');
export const RUNNING = turn('running');

export const tool = (offset: number, fields: Partial<ToolFrame> = {}): ToolFrame => ({
  ...{ type: 'tool', seq: 1, turn: 'req_1', tool: 't1', name: 'search', status: 'running', offset },
  ...{ conversation: 'default', ...fields },
});

/** What a client is told of frames; each state must be data, as it may be kept as JSON (P-DI-2). */
export function told(frames: readonly ServerFrame[], start: RunState = runState(RUN)): RunEvent[] {
  let state = start;
  return frames.flatMap((frame) => {
    const [next, events] = hermesDown(state, frame, 100);
    state = JSON.parse(JSON.stringify(next));
    return events;
  });
}

export const shape = (events: readonly RunEvent[]) => events.map(({ event, data }) => [event, data]);
export const names = (events: readonly RunEvent[]) => events.map(({ event }) => event);
export const tokens = (events: readonly RunEvent[]) =>
  events.flatMap(({ event, data }) => (event === 'token' ? [String(data.text)] : [])).join('');

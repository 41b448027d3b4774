import { describe, expect, test } from 'vitest';
import { done, event, World } from './harness.ts';

const first = {
  only: 'req_1',
  events: [{ n: 0, event: event({ kind: 'chunk', text: 'first' }) }],
  end: false,
};

/** An `sse:` channel with its one turn; its reader begins at the start. */
function opened(status: 'queued' | 'running') {
  const world = new World({ placed: true });
  world.channel.openOnlyTurn('req_1', 'default', status);
  const reader = world.connect(world.at(0), { credit: 65_536 });
  reader.socket.clear();
  return { world, reader };
}

describe('the turn of a channel in the turn’s own object', () => {
  test('P-WS-7 a generation runs from the start: its first word is shown before anything more is stored', () => {
    const { world, reader } = opened('running');
    const { revision } = world.channel;
    world.channel.attempted('req_1', true);
    world.ingest(first);
    expect(reader.socket.frames).toMatchObject([{ type: 'chunk', offset: 0, text: 'first' }]);
    expect(world.channel.revision).toBe(revision);
    world.ingest({ only: 'req_1', events: [{ n: 1, event: event({ kind: 'done' }) }] });
    expect(world.journal).toMatchObject([
      { type: 'turn', status: 'running' },
      { type: 'message', text: 'first' },
      { type: 'turn', status: 'completed' },
    ]);
  });

  test('P-WS-7 a delivery that may be repeated is queued until there is a sign of the upstream', () => {
    const { world, reader } = opened('queued');
    world.channel.attempted('req_1', true);
    expect(world.channel.turn('req_1')).toMatchObject({ status: 'queued', accepted: true });
    world.ingest(first);
    expect(reader.socket.frames).toMatchObject([{ type: 'turn', status: 'running' }, { type: 'chunk' }]);
  });

  test('P-WS-11 nobody is called to start it, and its upstream is told of a cancel', () => {
    const { world } = opened('queued');
    expect(world.channel.calls).toEqual([]);
    world.channel.cancel('req_1');
    expect(world.channel.calls).toMatchObject([{ turn: 'req_1', call: { type: 'cancel' } }]);
  });

  test('silence counts from the moment when the upstream accepted', () => {
    const { world } = opened('running');
    world.pass(world.limits.turn_accept_ms - 1);
    world.channel.attempted('req_1', true);
    world.pass(world.limits.turn_silence_ms - 1);
    world.channel.expire();
    expect(world.channel.turn('req_1')?.status).toBe('running');
    world.pass(1);
    world.channel.expire();
    expect(world.channel.turn('req_1')?.status).toBe('expired');
  });

  test('what nobody was written is not remembered where readers bring their place', () => {
    const { world } = opened('running');
    const rows = JSON.stringify(world.sql.rows('meta'));
    expect(rows).not.toContain('undelivered');
    expect(rows).toContain('epoch');
  });
});

test('the text of a turn that ends is its message: it is not stored beside it', () => {
  const world = new World();
  const turn = world.turn();
  world.stream(event({ kind: 'chunk', turn, text: 'short' }));
  world.stream(event({ kind: 'chunk', turn, text: ' lived' }));
  world.sql.breakOn = 'INTO texts';
  world.apply(done(turn));
  expect(world.sql.breakOn).toBe('INTO texts');
  expect(world.journal.at(-2)).toMatchObject({ type: 'message', text: 'short lived' });
  expect(world.sql.rows('texts')).toEqual([]);
});

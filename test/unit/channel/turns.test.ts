import { describe, expect, test } from 'vitest';
import { isTerminal } from '../../../src/protocol/server-frames.ts';
import { chunk, done, event, think, World } from './harness.ts';

const tool = (turn: string, status = 'running') =>
  event({ kind: 'tool', turn, tool: 'call_1', name: 'look', status });

describe('P-WS-7 the life of a turn', () => {
  test.each([
    ['chunk', (turn: string) => chunk(turn, 'x')],
    ['reasoning', (turn: string) => think(turn, 'x')],
    ['tool', (turn: string) => tool(turn)],
    ['message', (turn: string) => event({ kind: 'message', turn, text: 'x' })],
    ['prompt', (turn: string) => event({ kind: 'prompt', turn, question: 'x' })],
    ['done', (turn: string) => done(turn)],
    ['error', (turn: string) => event({ kind: 'error', turn })],
  ])('P-WS-7 the first outbound event (%s) implies running, once', (_, first) => {
    const world = new World();
    const turn = world.turn();
    world.apply(first(turn));
    world.apply(done(turn));
    const statuses = world.journal.flatMap((frame) => (frame.type === 'turn' ? [frame.status] : []));
    expect(statuses.slice(0, 2)).toEqual(['queued', 'running']);
    expect(statuses.filter(isTerminal)).toHaveLength(1);
    expect(statuses).toHaveLength(3);
  });

  test('P-WS-7 exactly one terminal: whatever comes after it is turn_finished and changes nothing', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(done(turn, { usage: { input_tokens: 1 }, finish_reason: 'stop' }));
    expect(world.journal.at(-1)).toMatchObject({
      status: 'completed',
      usage: { input_tokens: 1 },
      finish_reason: 'stop',
    });
    world.evict();
    const late = [
      done(turn),
      event({ kind: 'error', turn }),
      chunk(turn, 'x'),
      tool(turn),
      event({ kind: 'message', turn, text: 'x' }),
      event({ kind: 'prompt', turn, question: 'x' }),
    ];
    expect(world.results(...late).map(({ error }) => error?.code)).toEqual(late.map(() => 'turn_finished'));
    expect(() => world.channel.cancel(turn)).toThrow('completed');
    world.pass(1_000_000);
    world.channel.expire();
    expect(world.head).toBe(3);
  });

  test('P-WS-7 final message and terminal are adjacent, in one transaction, the message under the announced id', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    world.results(think(turn, 'hmm'), chunk(turn, 'Hello'));
    world.sql.breakOn = 'INSERT INTO turns';
    expect(() => world.apply(done(turn))).toThrow('disk');
    world.crash();
    expect(world.head).toBe(2);
    world.apply(done(turn));
    const [message, terminal] = world.journal.slice(-2);
    const announced = tab.socket.of('chunk')[0]?.message;
    expect(message).toMatchObject({ type: 'message', id: announced, text: 'Hello', reasoning: 'hmm', turn });
    expect(message).not.toHaveProperty('partial');
    expect(terminal).toMatchObject({ type: 'turn', status: 'completed', message: announced });
  });

  test('P-WS-7 a turn without any text ends without a message', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(done(turn));
    expect(world.journal.map(({ type }) => type)).toEqual(['turn', 'turn', 'turn']);
  });

  test('P-UP-4 the text of done replaces what was streamed', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'draft'));
    world.apply(done(turn, { text: 'final' }));
    expect(world.journal.at(-2)).toMatchObject({ text: 'final' });
  });

  test.each([
    ['failed', (world: World, turn: string) => void world.apply(event({ kind: 'error', turn, label: 'Oh' }))],
    ['cancelled', (world: World, turn: string) => world.channel.cancel(turn)],
    [
      'expired',
      (world: World) => {
        world.pass(180_000);
        world.channel.expire();
      },
    ],
  ])('P-WS-7 a turn that is %s keeps its text as partial', (status, end) => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'half a sen'));
    end(world, turn);
    expect(world.journal.slice(-2)).toMatchObject([
      { type: 'message', text: 'half a sen', partial: true },
      { type: 'turn', status },
    ]);
  });

  test('P-WS-7 text is stored before any durable event of its turn, tools are placed by offset', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(chunk(turn, 'ab'));
    world.stream(chunk(turn, 'cd'));
    world.stream(tool(turn));
    world.crash();
    expect(world.channel.turn(turn)?.text_length).toBe(4);
    expect(world.journal.at(-1)).toMatchObject({ type: 'tool', offset: 4 });
  });
});

describe('P-UP-4 a message with a turn', () => {
  test('P-UP-4 is the reply and does not end it; done does, without saying it again', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    world.apply(
      event({ kind: 'message', turn, text: 'all at once', buttons: [{ label: 'A', custom_id: 'a' }] }),
    );
    world.apply(done(turn));
    expect(world.journal.map(({ type }) => type)).toEqual(['turn', 'turn', 'message', 'turn']);
    const [message] = tab.socket.of('message');
    expect(message).toMatchObject({ turn, id: tab.socket.of('turn')[0]?.message });
  });

  test('chunks may follow it: the final message has both, its buttons too', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    world.apply(event({ kind: 'message', turn, text: 'all', buttons: [{ label: 'A', custom_id: 'a' }] }));
    world.apply(chunk(turn, ' and more'));
    expect(tab.socket.of('chunk')).toMatchObject([{ offset: 3 }]);
    world.crash();
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ text: 'all and more', buttons: [{ custom_id: 'a' }] });
  });

  test('reasoning that came after it is not lost', () => {
    const world = new World();
    const turn = world.turn();
    world.apply(event({ kind: 'message', turn, text: 'all' }));
    world.apply(think(turn, 'hindsight'));
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ type: 'message', text: 'all', reasoning: 'hindsight' });
  });

  test('a second message of the turn stands for itself', () => {
    const world = new World();
    const turn = world.turn();
    const [one, two] = world.results(
      event({ kind: 'message', turn, text: 'one' }),
      event({ kind: 'message', turn, text: 'two', id: 'own' }),
    );
    expect(two?.id).toBe('own');
    expect(one?.id).not.toBe('own');
    expect(world.apply(event({ kind: 'message', text: 'x', id: 'own' })).error?.code).toBe('conflict');
  });
});

describe('P-WS-7 edits', () => {
  test('P-WS-7 of a message that is still streaming: conflict; of an unknown one: not_found', () => {
    const world = new World();
    const turn = world.turn();
    const { id } = world.apply(chunk(turn, 'stream'));
    expect(world.apply(event({ kind: 'edit', id, text: 'x' })).error?.code).toBe('conflict');
    expect(world.apply(event({ kind: 'edit', id: 'nothing', text: 'x' })).error?.code).toBe('not_found');
    world.apply(done(turn));
    const tab = world.connect();
    expect(world.apply(event({ kind: 'edit', id, text: 'better' }))).toMatchObject({ id, seq: 5 });
    expect(tab.socket.of('edit')).toMatchObject([{ id, text: 'better', seq: 5, conversation: 'default' }]);
  });

  test('of a reply whose turn goes on: what follows continues the edited text', () => {
    const world = new World();
    const tab = world.connect();
    const turn = world.turn();
    const { id } = world.apply(event({ kind: 'message', turn, text: 'first words' }));
    world.apply(event({ kind: 'edit', id, text: 'other' }));
    world.apply(chunk(turn, ' words', 5));
    expect(tab.socket.of('chunk')).toMatchObject([{ offset: 5, text: ' words' }]);
    world.apply(done(turn));
    expect(world.journal.at(-2)).toMatchObject({ id, text: 'other words' });
  });
});

describe('P-WS-11 cancel', () => {
  test('P-WS-11 works from any session, keeps the text, and late chunks are dropped', () => {
    const world = new World();
    const [tab, other] = [world.connect(), world.connect()];
    world.say(tab, 'hello');
    const turn = tab.socket.of('ack')[0]?.turn ?? '';
    world.apply(chunk(turn, 'half'));
    world.channel.receive(other.session, { type: 'cancel', turn });
    expect(tab.socket.frames.slice(-2)).toMatchObject([
      { text: 'half', partial: true },
      { status: 'cancelled' },
    ]);
    expect(world.apply(chunk(turn, 'late')).error?.code).toBe('turn_finished');
    world.channel.receive(tab.session, { type: 'cancel', turn });
    expect(tab.socket.of('error')).toMatchObject([{ code: 'turn_finished' }]);
  });

  test('P-WS-11 survives a restart, and a call that tells the upstream stays until it was answered', () => {
    const world = new World();
    const turn = world.turn();
    world.channel.cancel(turn);
    world.crash();
    const calls = world.channel.calls.map(({ call }) => call.type);
    expect(calls).toContain('cancel');
    for (const pending of world.channel.calls) world.channel.called(pending, 'ordered');
    world.crash();
    expect(world.channel.calls).toEqual([]);
    expect(world.channel.wake).toBeUndefined();
  });
});

describe('P-UP-3 expiry', () => {
  test('a turn that was never accepted fails, one that fell silent expires; each sign of life puts it off', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello');
    const asked = tab.socket.of('ack')[0]?.turn ?? '';
    const open = world.turn();
    world.pass(170_000);
    world.apply(chunk(open, 'still here'));
    world.pass(130_000);
    expect(world.channel.wake).toBeLessThanOrEqual(world.now);
    world.channel.expire();
    expect(world.channel.turn(asked)).toMatchObject({ status: 'failed' });
    expect(world.channel.turn(open)).toMatchObject({ status: 'running' });
    world.evict();
    world.pass(180_000);
    world.channel.expire();
    expect(world.journal.at(-1)).toMatchObject({ status: 'expired', error: { type: 'upstream_silent' } });
  });

  test('silence counts from when the upstream accepted', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello');
    const turn = tab.socket.of('ack')[0]?.turn ?? '';
    world.pass(100_000);
    world.channel.attempted(turn, true);
    world.crash();
    world.pass(179_999);
    world.channel.expire();
    expect(world.channel.turn(turn)?.status).toBe('queued');
    world.pass(1);
    world.channel.expire();
    expect(world.channel.turn(turn)?.status).toBe('expired');
  });
});

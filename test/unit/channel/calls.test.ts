import { describe, expect, test } from 'vitest';
import { chunk, done, World } from './harness.ts';

function asking(policy: 'serial' | 'ordered') {
  const world = new World();
  const tab = world.connect();
  const ask = (conversation: string): string => {
    world.say(tab, 'hello', { conversation });
    return tab.socket.of('ack').at(-1)?.turn ?? '';
  };
  const starts = () =>
    world.channel.calls.filter(({ call }) => call.type === 'start').map(({ turn }) => turn);
  /** All calls that are due are made and answered. */
  const make = () => {
    for (let [next] = world.channel.calls; next; [next] = world.channel.calls)
      world.channel.called(next, policy);
  };
  return { world, ask, starts, make };
}

describe('P-WS-15 order of work', () => {
  test('P-WS-15 serial: one turn per conversation at a time, the rest stay queued', () => {
    const { world, ask, starts, make } = asking('serial');
    const [one, two, other] = [ask('a'), ask('a'), ask('b')];
    expect(starts()).toEqual([one, other]);
    make();
    world.channel.attempted(one, true);
    expect(starts()).toEqual([]);
    world.evict();
    expect(world.channel.turn(two)?.status).toBe('queued');
    world.apply(done(one));
    expect(starts()).toEqual([two]);
  });

  test('P-WS-15 ordered: the next goes out in seq order once the first attempt is over, without waiting for the reply', () => {
    const { world, ask, starts, make } = asking('ordered');
    const [one, two] = [ask('a'), ask('a')];
    make();
    expect(starts()).toEqual([]);
    world.channel.attempted(one, false);
    expect(starts()).toEqual([two]);
    const seqs = world.channel.calls.map(({ call }) => call.type === 'start' && call.delivery.seq);
    expect(seqs).toEqual([3]);
  });

  test('a queued turn that is cancelled is never started', () => {
    const { world, ask, starts } = asking('serial');
    const one = ask('a');
    world.channel.cancel(one);
    expect(world.channel.calls).toEqual([]);
    expect(starts()).toEqual([]);
  });
});

describe('DESIGN 5 calls to the turns’ own objects', () => {
  test('a start that was not answered is due again after a crash, and wakes the channel', () => {
    const { world, ask, starts, make } = asking('serial');
    const turn = ask('a');
    world.crash();
    expect(starts()).toEqual([turn]);
    expect(world.channel.wake).toBe(world.now + 5_000);
    make();
    world.crash();
    expect(starts()).toEqual([]);
  });

  test('P-WS-11 a cancel while the start is under way reaches the upstream', () => {
    const { world, ask } = asking('serial');
    const turn = ask('a');
    const [underWay] = world.channel.calls;
    if (!underWay) throw new Error('no call');
    world.channel.cancel(turn);
    expect(world.channel.calls).toEqual([]);
    world.channel.called(underWay, 'serial');
    expect(world.channel.calls).toMatchObject([{ turn, call: { type: 'cancel' } }]);
  });

  test('a turn that completed by itself while its start was under way is not cancelled', () => {
    const { world, ask } = asking('serial');
    const turn = ask('a');
    const [underWay] = world.channel.calls;
    if (!underWay) throw new Error('no call');
    world.apply(chunk(turn, 'quick'));
    world.apply(done(turn));
    world.channel.called(underWay, 'serial');
    expect(world.channel.calls).toEqual([]);
  });
});

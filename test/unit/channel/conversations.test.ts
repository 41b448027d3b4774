import { describe, expect, test } from 'vitest';
import { done, event, World } from './harness.ts';

const said = (world: World, text: string, conversation: string) =>
  world.apply(event({ kind: 'message', text, conversation }));

describe('a deleted conversation', () => {
  test('P-WS-8 leaves no word in storage, and no gap', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'secret one', { conversation: 'a', client_id: 'c1' });
    said(world, 'secret two', 'a');
    said(world, 'kept', 'b');
    const ask = event({ kind: 'prompt', prompt: 'p1', question: 'secret?', conversation: 'a' });
    world.apply(ask);
    world.channel.receive(tab.session, { type: 'answer', client_id: 'c2', prompt: 'p1', value: 'secret' });
    world.apply({
      kind: 'file',
      id: 'f1',
      filename: 'secret',
      mimetype: 'a/b',
      size: 1,
      data: 'secret',
      conversation: 'a',
    });
    const { seq } = world.channel.conversations.delete('a');
    const tables = world.sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    for (const { name } of tables)
      expect(JSON.stringify(world.sql.all(`SELECT * FROM ${name}`)), name).not.toContain('secret');
    expect(world.journal.map((frame) => frame.seq)).toEqual(Array.from({ length: seq }, (_, n) => n + 1));
    expect(world.journal.filter(({ type }) => type === 'message')).toMatchObject([{ text: 'kept' }]);
    expect(world.channel.archive.disposals).toEqual(['f1']);
    expect(world.channel.archive.history('a')).toEqual([]);
  });

  test('its turns end once, as everybody is told', () => {
    const world = new World();
    const tab = world.connect();
    world.say(tab, 'hello', { conversation: 'a' });
    const [turn] = tab.socket.of('turn');
    const offline = world.at(2);
    tab.socket.clear();
    world.channel.conversations.delete('a');
    expect(tab.socket.of('turn')).toMatchObject([{ turn: turn?.turn, status: 'cancelled' }]);
    const { socket: late } = world.connect(offline);
    expect(late.of('turn')).toMatchObject([{ turn: turn?.turn, status: 'cancelled' }]);
    expect(world.results(done(turn?.turn ?? ''))).toMatchObject([{ error: { code: 'turn_finished' } }]);
  });
});

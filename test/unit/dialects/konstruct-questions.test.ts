import { describe, expect, test } from 'vitest';
import { chunk, closed, done, file, open, prompt, reply, said, THERE, turn, typing } from './konstruct.ts';

describe('P-WS-10 questions', () => {
  test('a question ends what was said so far; the answer is the next message, and the reply goes on', () => {
    const socket = open();
    expect(socket.down(turn('running'), chunk('Let me see.'), prompt())).toEqual([
      ...[typing, { type: 'chunk', text: 'Let me see.' }],
      done('Let me see.\n\nWhich?\n\n- red\n- Blue'),
    ]);
    expect(socket.up({ type: 'message', text: 'blue' })).toEqual({
      commands: [{ type: 'answer', client_id: 'id1', prompt: 'p1', value: 'b' }],
      frames: [typing],
    });
    expect(
      socket.down(
        closed('answered', { value: 'b' }),
        ...[chunk(' Blue', 11), chunk(' it is.', 16)],
        ...[reply('Let me see. Blue it is.'), turn('completed')],
      ),
    ).toEqual([{ type: 'chunk', text: ' Blue' }, { type: 'chunk', text: ' it is.' }, done(' Blue it is.')]);
    expect(socket.up({ type: 'message', text: 'red' }).commands).toMatchObject([{ type: 'message' }]);
  });

  test('a reply that waits for an answer holds up nobody, and goes on when it is answered', () => {
    const socket = open();
    socket.down(turn('running'), chunk('One?'), prompt());
    socket.up({ type: 'message', text: 'green' });
    expect(socket.down(said('id1', 2), turn('running', 2), chunk('Two', 0, 2))).toEqual([
      { type: 'chunk', text: 'Two' },
    ]);
    expect(socket.down(reply('Two', 2), turn('completed', 2), file)).toEqual([
      done('Two'),
      done('[a.pdf](https://example.org/a.pdf)'),
    ]);
    expect(socket.down(closed(), chunk(' One.', 4), reply('One? One.'), turn('completed'))).toEqual([
      ...[{ type: 'chunk', text: ' One.' }, done(' One.')],
    ]);
  });

  test('one that is answered while another is told goes on behind it', () => {
    const socket = open();
    socket.down(turn('running'), chunk('One?'), prompt());
    expect(socket.down(turn('running', 2), chunk('Tw', 0, 2), closed(), chunk(' One.', 4))).toEqual([
      ...[typing, { type: 'chunk', text: 'Tw' }],
    ]);
    expect(socket.down(chunk('o', 2, 2), reply('Two', 2), turn('completed', 2))).toEqual([
      ...[{ type: 'chunk', text: 'o' }, done('Two'), { type: 'chunk', text: ' One.' }],
    ]);
    expect(socket.down(reply('One? One.'), turn('completed'))).toEqual([done(' One.')]);
  });

  test('two that wait hold up neither each other nor a third; one that ends unanswered says so', () => {
    const socket = open();
    socket.down(turn('running'), chunk('One?'), prompt());
    expect(
      socket.down(turn('running', 2), chunk('Two?', 0, 2), prompt({ turn: 't2', prompt: 'p2' })),
    ).toMatchObject([typing, { type: 'chunk' }, { type: 'done' }]);
    expect(socket.down(turn('running', 3), chunk('Three', 0, 3))).toEqual([
      ...[typing, { type: 'chunk', text: 'Three' }],
    ]);
    expect(socket.down(turn('expired'), reply('Three', 3), turn('completed', 3))).toMatchObject([
      done('Three'),
      { type: 'error' },
    ]);
    expect(socket.down(closed('answered', { prompt: 'p2' }), chunk(' Two.', 4, 2))).toEqual([
      { type: 'chunk', text: ' Two.' },
    ]);
  });

  test('what is said without waiting for the answer keeps its place', () => {
    const socket = open();
    socket.down(turn('running'), chunk('One?'), prompt(), chunk(' Or', 4));
    expect(socket.down(turn('running', 2), chunk('Two', 0, 2))).toEqual([typing]);
  });

  test.each([
    ['a value', prompt(), 'RED', 'red'],
    ['a label', prompt(), ' blue ', 'b'],
    ['a number', prompt(), '2', 'b'],
    ['a text', prompt({ kind: 'text', choices: undefined }), 'As you like', 'As you like'],
    ['yes', prompt({ kind: 'approval', choices: undefined }), 'yes', true],
    ['no', prompt({ kind: 'approval', choices: undefined }), 'No', false],
  ])('%s answers', (_, question, text, value) => {
    const socket = open();
    socket.down(question);
    expect(socket.up({ type: 'message', text }).commands).toEqual([
      { type: 'answer', client_id: 'id1', prompt: 'p1', value },
    ]);
  });

  test('a question that comes again after a reset of the object is not asked again', () => {
    const socket = open();
    socket.down(prompt());
    expect(socket.down(prompt({ snapshot: true }))).toEqual([]);
  });

  test('what is no answer, or in another conversation, is a message', () => {
    const socket = open();
    socket.down(prompt());
    expect(socket.up({ type: 'message', text: 'green' }).commands).toMatchObject([{ type: 'message' }]);
    expect(socket.up({ type: 'message', text: 'red', conversationId: THERE }).commands).toMatchObject([
      { type: 'message', conversation: THERE },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import {
  brief,
  chunk,
  closed,
  edit,
  file,
  HERE,
  openAssistant,
  openWorkflow,
  prompt,
  ready,
  refusal,
  reply,
  said,
  thought,
  tool,
  turn,
} from './bisheng.ts';

const action = (name: string, fields: object = {}) => ({ action: name, chat_id: HERE, ...fields });
const input = (node: string, fields: object) => action('input', { data: { [node]: fields } });
const write = (text: string) => input('input', { data: { user_input: text }, message: text });

/** A page that runs its workflow, connected for a while. */
function running() {
  const page = openWorkflow();
  page.down(ready);
  page.up(action('init_data', { data: { nodes: [], edges: [] } }));
  return page;
}

describe('P-DI-2 a run', () => {
  test('init_data: processing begins, and the page may write', () => {
    const page = openWorkflow();
    const { commands, frames } = page.up(action('init_data', { data: { nodes: [] } }));
    expect(commands).toEqual([]);
    expect(brief(frames)).toEqual(['processing/begin', 'input/over dialog_input']);
    expect(frames[1]).toMatchObject({
      message: { node_id: 'input', input_schema: { tab: 'dialog_input', value: [], key: 'user_input' } },
    });
  });

  test('what the page writes is a message; what else it says goes along', () => {
    const node = { data: { user_input: 'hi', dialog_files_content: ['a'] }, message: 'hi', message_id: null };
    expect(running().up(input('input', node)).commands).toMatchObject([
      {
        ...{ type: 'message', text: 'hi', conversation: HERE },
        extra: { work_type: 'workflow', inputs: { dialog_files_content: ['a'] } },
      },
    ]);
  });

  test('several inputs in one frame have a client_id each', () => {
    const data = { a: { data: { user_input: 'one' } }, b: { data: {}, message: 'two' } };
    expect(running().up(action('input', { data })).commands).toMatchObject([
      { client_id: 'id2', text: 'one' },
      { client_id: 'id2.1', text: 'two' },
    ]);
  });

  test('nodes that run, one row of text, its whole text, then the next input', () => {
    const page = running();
    page.up(write('hi'));
    const frames = page.down(
      ...[said('id2'), turn('queued'), tool('running', { args: { q: 1 } }), thought('Hm'), chunk('Hel')],
      ...[tool('completed', { result: 'ok' }), chunk('lo', 3), reply('Hello!'), turn('completed')],
    );
    expect(brief(frames)).toEqual([
      ...['processing/begin', 'node_run/start search', 'stream_msg/stream (Hm)', 'stream_msg/stream Hel'],
      ...['node_run/end search', 'stream_msg/stream lo', 'stream_msg/end Hello! (Hm) #m1'],
      'input/over dialog_input',
    ]);
    expect(frames[1]).toMatchObject({ message: { unique_id: 'call1', node_id: 'search', name: 'search' } });
    expect(frames[4]).toMatchObject({ message: { reason: null, log_data: 'ok', input_data: null } });
    const row = { unique_id: 'm1', node_id: 'output', name: '', output_key: 'output' };
    expect(frames[3]).toMatchObject({ message: { ...row, msg: 'Hel', reasoning_content: '' } });
    expect(frames[6]).toMatchObject({ message: { ...row, msg: 'Hello!', reasoning_content: 'Hm' } });
  });

  test('what was not streamed, what the bot says of itself, files: output', () => {
    const frames = running().down(
      ...[turn('queued'), reply('Hello'), turn('completed'), reply('News', 5, { turn: 'none' }), file],
    );
    expect(brief(frames)).toEqual([
      ...['processing/begin', 'output_msg/over Hello #m1', 'input/over dialog_input'],
      ...['output_msg/over News #m5', 'output_msg/over [a.pdf](https://example.org/a.pdf) #f1'],
    ]);
    expect(frames.at(-1)).toMatchObject({ files: [{ file_name: 'a.pdf' }] });
  });

  test('an edit is the output with the same id', () => {
    expect(brief(running().down(edit('Better')))).toEqual(['output_msg/over Better #m1']);
  });

  test.each([
    ['upstream_unreachable', 10540],
    ['upstream_not_configured', 13010],
    ['upstream_http', 10541],
  ])('%s: %d, and the run is over', (type, code) => {
    const page = running();
    const error = { label: 'Oops', type, message: 'It broke.', hint: '' };
    const frames = page.down(turn('queued'), tool('running'), turn('failed', 1, { error }));
    expect(brief(frames).slice(2)).toEqual([
      ...['node_run/end search', 'system/start', `error/end ${code} It broke.`, 'processing/close'],
    ]);
    // What begins elsewhere is no run of this page.
    expect(brief(page.down(turn('queued', 2), reply('x', 2), turn('completed', 2)))).toEqual([
      ...['processing/begin', 'output_msg/over x #m2', 'processing/close'],
    ]);
  });

  test('a refusal leaves the page its input', () => {
    expect(brief(running().down(refusal()))).toEqual([
      ...['system/start', 'error/end 10541 too many messages', 'input/over dialog_input'],
    ]);
  });

  test('P-WS-11 stop: the text is kept, the run is over', () => {
    const page = running();
    page.down(turn('running'), chunk('so f'));
    expect(page.up(action('stop'))).toEqual({ commands: [{ type: 'cancel', turn: 't1' }], frames: [] });
    expect(brief(page.down(reply('so f'), turn('cancelled')))).toEqual([
      ...['stream_msg/end so f #m1', 'processing/close'],
    ]);
    expect(brief(page.up(action('stop')).frames)).toEqual(['processing/close']);
  });

  test('without a chat, what is open ends with the socket', () => {
    const page = openWorkflow('');
    page.up({ action: 'init_data' });
    page.up({ action: 'input', data: { input: { data: { user_input: 'hi' } } } });
    page.down(turn('queued', 1, { conversation: 'trial-id2' }));
    expect(page.left(1006)).toEqual([{ type: 'cancel', turn: 't1' }]);
  });

  test('an assistant’s page has no run', () => {
    expect(openAssistant().up(action('init_data'))).toEqual({ commands: [], frames: [] });
  });
});

describe('P-WS-10 questions', () => {
  test('a choice', () => {
    const page = running();
    const [row] = page.down(turn('queued'), prompt()).slice(1);
    expect(row).toMatchObject({
      ...{ category: 'output_with_choose_msg', type: 'over', message_id: 'p1' },
      message: {
        ...{ node_id: 'p1', msg: 'Which?', key: 'answer' },
        options: [
          { id: 'red', label: 'red', value: 'red' },
          { id: 'b', label: 'Blue', value: 'b' },
        ],
      },
    });
    const answer = { type: 'answer', prompt: 'p1', value: 'b' };
    const by = (node: string, fields: object) => page.up(input(node, fields)).commands;
    expect(by('p1', { data: { answer: 'b' }, message: 'Blue' })).toMatchObject([answer]);
    // The page may know the row by the id of its message alone.
    expect(by('node', { data: { answer: 'Blue' }, message_id: 'p1' })).toMatchObject([answer]);
    expect(by('p1', { data: {}, message: 'Blue', category: 'output_with_choose_msg' })).toMatchObject([
      answer,
    ]);
  });

  test('an approval is a choice of two', () => {
    const [row] = running()
      .down(turn('queued'), prompt({ kind: 'approval', choices: undefined }))
      .slice(1);
    expect(row).toMatchObject({ message: { options: [{ id: 'approve' }, { id: 'deny' }] } });
  });

  test('a text', () => {
    const page = running();
    const [row] = page.down(turn('queued'), prompt({ kind: 'text', choices: undefined })).slice(1);
    expect(row).toMatchObject({
      ...{ category: 'output_with_input_msg', type: 'over', message_id: 'p1' },
      message: { node_id: 'p1', msg: 'Which?', key: 'answer', input_msg: '' },
    });
    expect(page.up(input('p1', { data: { answer: 'my own' } })).commands).toMatchObject([
      { value: 'my own' },
    ]);
  });

  test('a form; its texts become what its schema asks for', () => {
    const page = running();
    const schema = {
      type: 'object',
      required: ['age'],
      properties: {
        age: { type: 'integer', title: 'Age' },
        size: { enum: ['S', 'L'] },
        news: { type: 'boolean' },
        name: { type: 'string' },
      },
    };
    const frames = page.down(turn('queued'), prompt({ kind: 'form', choices: undefined, schema })).slice(1);
    expect(brief(frames)).toEqual(['output_msg/over Which?', 'input/over form_input #p1']);
    expect(frames[1]).toMatchObject({
      message: {
        input_schema: {
          tab: 'form_input',
          value: [
            { key: 'age', type: 'text', label: 'Age', required: true },
            { key: 'size', type: 'select', options: [{ id: 'S' }, { id: 'L' }] },
            { key: 'news' },
            { key: 'name' },
          ],
        },
      },
    });
    const data = { age: '7', size: 'L', news: 'true', name: '7' };
    expect(page.up(input('p1', { data })).commands).toMatchObject([
      { value: { age: 7, size: 'L', news: true, name: '7' } },
    ]);
  });

  test('one that outlives its reply is what the page waits for; its answer begins another one', () => {
    const page = running();
    const frames = page.down(turn('queued'), prompt(), reply('Choose.'), turn('completed'));
    expect(brief(frames).slice(1)).toEqual([
      'output_with_choose_msg/over Which? #p1',
      'output_msg/over Choose. #m1',
    ]);
    expect(page.up(input('p1', { data: { answer: 'red' } })).commands).toMatchObject([{ value: 'red' }]);
    expect(brief(page.down(closed(), turn('queued', 2), reply('Red.', 2), turn('completed', 2)))).toEqual([
      ...['processing/begin', 'output_msg/over Red. #m2', 'input/over dialog_input'],
    ]);
  });

  test('the text goes on in its row after the answer', () => {
    const page = running();
    page.down(turn('queued'), chunk('Well. '), prompt());
    expect(brief(page.down(closed(), chunk('Red.', 6), reply('Well. Red.'), turn('completed')))).toEqual([
      ...['stream_msg/stream Red.', 'stream_msg/end Well. Red. #m1', 'input/over dialog_input'],
    ]);
  });

  test('one that nobody answered in time: 10527', () => {
    const page = running();
    page.down(turn('queued'), prompt());
    const late = ['system/start', 'error/end 10527 The question was not answered in time.'];
    expect(brief(page.down(closed('expired')))).toEqual(late);
  });
});

describe('P-WS-8 check_status', () => {
  const back = () => {
    const page = openWorkflow();
    const snapshot = { snapshot: true } as const;
    return { page, frames: page.down(turn('running', 1, snapshot), chunk('so '), prompt(snapshot), ready) };
  };

  test('the pending question again, then what is on its way, once the page asks', () => {
    const { page, frames } = back();
    expect(frames).toEqual([]);
    const resumed = page.up(action('check_status')).frames;
    expect(brief(resumed)).toEqual([
      ...['output_with_choose_msg/over Which? #p1', 'processing/begin', 'stream_msg/stream so '],
    ]);
    page.up(input('p1', { data: { answer: 'red' } }));
    expect(brief(page.down(closed(), chunk('far', 3), reply('so far'), turn('completed')))).toEqual([
      ...['stream_msg/stream far', 'stream_msg/end so far #m1', 'processing/close'],
    ]);
  });

  test('a question that is answered before the page asks is not asked', () => {
    const { page } = back();
    expect(page.down(closed(), chunk('far', 3))).toEqual([]);
    expect(brief(page.up(action('check_status')).frames)).toEqual([
      'processing/begin',
      'stream_msg/stream so far',
    ]);
  });

  test('a reply that ends before the page asks is told whole', () => {
    const { page } = back();
    expect(page.down(closed(), reply('so far'), turn('completed'))).toEqual([]);
    expect(brief(page.up(action('check_status')).frames)).toEqual([
      ...['processing/begin', 'output_msg/over so far #m1', 'processing/close'],
    ]);
  });

  test('a question of no reply is pending as well', () => {
    const page = openWorkflow();
    page.down(prompt({ turn: undefined, snapshot: true }), ready);
    expect(brief(page.up(action('check_status')).frames)).toEqual([
      ...['output_with_choose_msg/over Which? #p1', 'processing/begin'],
    ]);
  });

  test('init_data in the middle of a run goes on with it', () => {
    const { page } = back();
    expect(brief(page.up(action('init_data')).frames)).toEqual([
      ...['output_with_choose_msg/over Which? #p1', 'processing/begin', 'stream_msg/stream so '],
    ]);
  });

  test('nothing is on its way: closed', () => {
    const page = openWorkflow();
    page.down(ready);
    expect(brief(page.up(action('check_status')).frames)).toEqual(['processing/close']);
  });

  test('a page that does not ask hears of what begins while it is here', () => {
    const page = openWorkflow();
    page.down(ready);
    expect(brief(page.down(turn('queued'), chunk('x')))).toEqual([
      ...['processing/begin', 'stream_msg/stream x'],
    ]);
  });
});

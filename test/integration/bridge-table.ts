import { type Answer, chunk, opened, pieces, plain, streamed } from './fake-openai.ts';

/** The golden table of what an OpenAI-compatible upstream can do (P-BR-2 … P-BR-4), and what every client makes of it. */

const part = chunk({ content: 'Part' });
const stop = chunk({}, 'stop');
const failed = (message: string) => JSON.stringify({ error: { message } });
const html = '<html><body>not for you</body></html>';

export interface Fault {
  does: Answer;
  /** The error of the turn. */
  type: string;
  /** As it is told, whole. */
  message: string;
  /** The text that is kept. */
  text: string;
}

const broken = (does: Answer, message: string): Fault => ({
  ...{ does, message, type: 'upstream_stream', text: 'Part' },
});
const refused = (does: Answer, type: string, message: string): Fault => ({
  ...{ does, type, message, text: '' },
});

const INCOMPLETE = 'The reply ended before it was complete.';
const SILENT = 'The model service was silent for too long.';
const NOT_JSON = 'The model service sent something that is not JSON.';
const UNREACHABLE = 'The model service could not be reached.';

export const FAULTS: Record<string, Fault> = {
  'cut without an end': broken(streamed(part), INCOMPLETE),
  'cut in the middle of an event': broken(
    (r) => opened(part)(r).end('data: {"choices":[{"delta":{"con'),
    NOT_JSON,
  ),
  'cut in the middle of a tool call': {
    ...broken(streamed(chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] })), INCOMPLETE),
    text: '',
  },
  'a finish reason of a router that lost its model': broken(
    streamed(part, chunk({}, 'error'), '[DONE]'),
    INCOMPLETE,
  ),
  'an error in the stream': broken(streamed(part, failed('overloaded'), '[DONE]'), 'overloaded'),
  'an event named error': broken(streamed(part, `event: error\ndata: ${failed('no more')}`), 'no more'),
  'bad JSON in the middle': broken(streamed(part, '{"choi', stop, '[DONE]'), NOT_JSON),
  'silence in the middle': broken(opened(part), SILENT),
  'comments and nothing else': broken((r) => {
    const drip = setInterval(() => r.write(': still here\n\n'), 200);
    opened(part)(r).once('close', () => clearInterval(drip));
  }, SILENT),
  'a reset in the middle': broken(
    (r) => opened(part)(r).write(':', () => setTimeout(() => r.socket?.resetAndDestroy(), 100)),
    'The connection to the model service broke.',
  ),
  'a reset at once': refused((r) => r.socket?.resetAndDestroy(), 'upstream_unreachable', UNREACHABLE),
  'slow headers': refused(() => undefined, 'upstream_unreachable', SILENT),
  'an error body without an end': refused(
    (r) => r.writeHead(500, { 'content-type': 'text/plain' }).write('half'),
    'upstream_http',
    'The model service answered 500: half',
  ),
  '401': refused(
    plain(401, failed('wrong key: key-of-upstream')),
    'upstream_auth',
    'The model service answered 401: wrong key: ***',
  ),
  '403': refused(plain(403, failed('no')), 'upstream_auth', 'The model service answered 403: no'),
  '404': refused(
    plain(404, '{"detail":"no model"}'),
    'upstream_http',
    'The model service answered 404: no model',
  ),
  '429': refused(
    plain(429, failed('slow down'), 'application/json', { 'retry-after': '7' }),
    'upstream_rate_limited',
    'The model service answered 429: slow down (retry after 7)',
  ),
  '500': refused(
    plain(500, failed('x'.repeat(5_000))),
    'upstream_http',
    `The model service answered 500: ${'x'.repeat(467)}…`,
  ),
  '524 of a proxy': refused(
    plain(524, html, 'text/html'),
    'upstream_http',
    'The model service answered 524.',
  ),
  'a redirect': refused(
    plain(302, '', 'text/plain', { location: '/v1/models' }),
    'upstream_http',
    'The model service answered 302.',
  ),
  '200 with HTML': refused(
    plain(200, html, 'text/html'),
    'upstream_http',
    'The model service answered with text/html instead of a stream.',
  ),
  '200 with an error': refused(plain(200, failed('no such model')), 'upstream_stream', 'no such model'),
  'an empty answer': refused(
    streamed(stop, '[DONE]'),
    'upstream_empty',
    'The model service gave an empty answer.',
  ),
  'nothing at all': refused(streamed(), 'upstream_stream', INCOMPLETE),
};

/** A body of every kind that the standard allows. */
const tricky = new TextEncoder().encode(
  [
    '\uFEFF: a comment',
    ...['event: ping', 'data: {not json', ''],
    ...['data: {"choices":', 'data: [{"delta":{"content":"wörld 😀"}}]}', '', ': more', ''],
    ...[`data:${chunk({ content: '\u2028!' })}`, 'id: 7', 'retry: 10', ''],
    ...[`data: ${stop}`, '', 'data: [DONE]', '', ''],
  ].join('\r\n'),
);
const TRICKY = 'wörld 😀\u2028!';
const at = (character: string) => Buffer.from(tricky).indexOf(character);
const cutAt = (...places: number[]): Answer =>
  pieces(...[0, ...places].map((from, i) => tricky.subarray(from, places[i] ?? tricky.length)));
const whole = { choices: [{ message: { content: 'Whole' }, finish_reason: 'stop' }] };
const lines = (end: string): Answer =>
  pieces(new TextEncoder().encode([`data: ${part}`, '', `data: ${stop}`, '', ''].join(end)));

/** Answers that are complete, and their text. */
export const GOOD: Record<string, { does: Answer; text: string }> = {
  '[DONE] alone': { does: streamed(part, '[DONE]'), text: 'Part' },
  'a finish reason alone': { does: streamed(part, stop), text: 'Part' },
  'a finish reason and a reset': {
    does: (r) => opened(part, stop, '[DONE]')(r).write(':', () => r.destroy()),
    text: 'Part',
  },
  'a whole answer': { does: plain(200, JSON.stringify(whole)), text: 'Whole' },
  'a message instead of deltas': { does: streamed(JSON.stringify(whole)), text: 'Whole' },
  'lines that end in CR': { does: lines('\r'), text: 'Part' },
  'lines that end in LF': { does: lines('\n'), text: 'Part' },
  'bytes one by one': {
    does: cutAt(...Array.from({ length: tricky.length - 1 }, (_, i) => i + 1)),
    text: TRICKY,
  },
  'a cut in a letter': { does: cutAt(at('ö') + 1), text: TRICKY },
  'a cut in an emoji': { does: cutAt(at('😀') + 1, at('😀') + 3), text: TRICKY },
  'a cut between CR and LF': { does: cutAt(at('\n')), text: TRICKY },
  'a cut in a field name': { does: cutAt(at('data:[') + 2, at('data: [DONE]') + 3), text: TRICKY },
};

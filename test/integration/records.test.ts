import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { type Person, useWorld } from './world.ts';

// Small and quick, so that a test sees the journal drained into D1 and cut behind it.
const world = useWorld({ env: { LIMITS: JSON.stringify({ journal_events: 20, record_after_ms: 100 }) } });

async function whole(person: Person, limit: number): Promise<string[]> {
  const texts: string[] = [];
  let before: number | null = null;
  do {
    const query: string = `?limit=${limit}${before === null ? '' : `&before=${before}`}`;
    const { body } = await world().as<HistoryPage>(person, `/api/conversations/default/messages${query}`);
    for (const row of body.messages) if (row.type === 'message') texts.push(row.text);
    before = body.next;
  } while (before !== null);
  return texts.toReversed();
}

describe('records in D1', () => {
  test('P-WS-8 the journal is cut behind them: an old cursor is reset, and history is whole', async () => {
    const person = await world().person();
    const { channel } = person;
    const first = await world().connect(person);
    const { epoch } = await first.frame('welcome');
    const texts = Array.from({ length: 60 }, (_, n) => `m${n}`);
    await world().outbound(texts.map((text) => ({ channel, kind: 'message', text })));
    await expect
      .poll(
        async () => {
          // Any cause for the alarm to be looked at will do.
          const client = await world().open({ token: person.token, query: { cursor: `${epoch}.1` } });
          await client.frame('ready');
          const reset = client.all('reset').at(0)?.reason;
          client.close();
          return reset;
        },
        { timeout: 20_000, interval: 200 },
      )
      .toBe('retention');
    expect(await whole(person, 7)).toEqual(texts);
    expect(await whole(person, 200)).toEqual(texts);
    await world().outbound({ channel, kind: 'message', text: 'newest' });
    expect(await whole(person, 25)).toEqual([...texts, 'newest']);
  });

  test('are of one user: the same ids and conversation of another show nothing', async () => {
    const [one, other] = [await world().person(), await world().person()];
    await world().outbound({ channel: one.channel, kind: 'message', id: 'same', text: 'mine' });
    await world().outbound({ channel: other.channel, kind: 'message', id: 'same', text: 'yours' });
    expect(await whole(one, 10)).toEqual(['mine']);
    expect(await whole(other, 10)).toEqual(['yours']);
  });
});

import { type ChatState, type Item, reduce, StarwireClient } from '../../src/client/index.ts';
import { EMPTY_STATE } from '../../src/client/state.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { DEFAULT_CONVERSATION } from '../../src/protocol/ids.ts';
import type { Person, World } from '../integration/world.ts';
import { insist } from './post.ts';

/** What of an item a person sees: the rest is bookkeeping. */
export function shown(item: Item): object {
  if (item.kind !== 'message') return { kind: item.kind, id: item.id };
  const { id, role, sender, text, reasoning, status, edited, turn, client_id } = item;
  const tools = item.inserts.map((insert) => ({ id: insert.id, offset: insert.offset }));
  return { id, role, sender, text, reasoning, status, edited, turn, client_id, tools };
}

/** A person's tab: the real SDK on Node's own WebSocket. */
export class Viewer {
  readonly client: StarwireClient;
  /** What the SDK had to repair: a hole on the wire is none the less a hole. */
  readonly losses: string[] = [];
  /** Why history was read again. */
  readonly stale: string[] = [];
  readonly refused: object[] = [];

  constructor(world: World, person: Person) {
    this.client = new StarwireClient({
      url: `${world.origin.replace('http', 'ws')}/ws`,
      token: () => person.token,
    });
    this.client.on('loss', ({ what }) => this.losses.push(what));
    this.client.on('refused', (refusal) => this.refused.push(refusal));
    this.client.on('stale', ({ reason }) => {
      this.stale.push(reason);
      void historyOf(world, person).then((page) => this.client.history(DEFAULT_CONVERSATION, page));
    });
    this.client.start();
  }

  get items(): readonly Item[] {
    return itemsOf(this.client.state);
  }

  /** Own messages that the server has not taken. */
  get unsent(): number {
    return this.items.filter((item) => item.kind === 'message' && item.status === 'sending').length;
  }

  get openTurns(): number {
    return this.client.state.conversations.get(DEFAULT_CONVERSATION)?.open.size ?? 0;
  }

  /** Own messages to which no reply has begun. */
  get unanswered(): number {
    const messages = this.items.filter((item) => item.kind === 'message');
    const answered = new Set(messages.flatMap(({ role, turn }) => (role === 'assistant' ? turn : [])));
    return messages.filter(({ role, turn }) => role === 'user' && !answered.has(turn)).length;
  }

  get live(): Promise<void> {
    return this.until('status', () => this.client.status.is === 'live');
  }

  /** Resolves when `look` holds, asked at each change. */
  async until(event: 'state' | 'status', look: () => boolean): Promise<void> {
    if (look()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.client.on(event, () => {
      if (look()) resolve();
    });
    await promise;
    stop();
  }
}

function itemsOf(state: ChatState): readonly Item[] {
  return state.conversations.get(DEFAULT_CONVERSATION)?.items ?? [];
}

/** All of a conversation's history, newest first, page by page. */
export async function historyOf(
  world: World,
  person: Person,
  conversation = DEFAULT_CONVERSATION,
): Promise<HistoryPage> {
  const messages: HistoryPage['messages'][number][] = [];
  for (let before = ''; ; ) {
    const path = `/api/conversations/${conversation}/messages?limit=200${before}`;
    const { next, messages: rows } = await insist(async () => {
      const reply = await world.as<HistoryPage>(person, path).catch(() => undefined);
      return reply?.status === 200 ? reply.body : undefined;
    });
    messages.push(...rows);
    if (next === null) return { messages, next };
    before = `&before=${next}`;
  }
}

/** What a tab shows that is opened only now. */
export function reloaded(page: HistoryPage): readonly Item[] {
  return itemsOf(
    reduce(EMPTY_STATE, { type: 'local.history', conversation: DEFAULT_CONVERSATION, page, older: false }),
  );
}

import fc from 'fast-check';

/** One step of a schedule. Numbers choose among what there is at that moment, modulo how many there are. */
export type Step =
  | { do: 'send'; tab: number; conversation: number; lost: boolean }
  | { do: 'resend'; tab: number; nth: number; changed: boolean }
  | { do: 'open' }
  | {
      do: 'chunks';
      turn: number;
      kinds: ('text' | 'reasoning')[];
      place: 'none' | 'exact' | 'overlap' | 'gap';
    }
  | { do: 'tool'; turn: number }
  | { do: 'reply'; turn: number }
  | { do: 'say'; buttons: boolean }
  | { do: 'edit'; message: number }
  | { do: 'press'; tab: number; message: number }
  | { do: 'ask'; turn: number | null }
  | { do: 'answer'; tab: number; prompt: number; valid: boolean }
  | { do: 'cancel'; tab: number; turn: number }
  | { do: 'done'; turn: number; whole: boolean }
  | { do: 'fail'; turn: number }
  | { do: 'repeat'; nth: number }
  | { do: 'stream'; on: boolean }
  | {
      do: 'attach';
      tab: number;
      from: 'cursor' | 'earlier' | 'nothing' | 'elsewhere';
      how: 'plain' | 'batch' | 'relay';
    }
  | { do: 'save'; tab: number }
  | { do: 'pause'; tab: number }
  | { do: 'drop'; tab: number }
  | { do: 'die'; tab: number }
  | { do: 'pass'; ms: number }
  | { do: 'remove'; conversation: number }
  | { do: 'evict' }
  | { do: 'crash' };

const nat = fc.nat({ max: 7 });
const rarely = fc.nat({ max: 9 }).map((n) => n === 0);
const kinds = fc.array(fc.constantFrom<('text' | 'reasoning')[]>('text', 'text', 'text', 'reasoning'), {
  minLength: 1,
  maxLength: 4,
});

const send = fc.record({ do: fc.constant('send' as const), tab: nat, conversation: nat, lost: rarely });
const chunks = fc.record({
  do: fc.constant('chunks' as const),
  turn: nat,
  kinds,
  place: fc.constantFrom(
    'none' as const,
    'none' as const,
    'exact' as const,
    'overlap' as const,
    'gap' as const,
  ),
});

/** Steps of the upstream and of clients, and the ordinary weather of connections. */
const ordinary: fc.WeightedArbitrary<Step>[] = [
  { weight: 5, arbitrary: send },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('resend' as const), tab: nat, nth: nat, changed: rarely }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  { weight: 14, arbitrary: chunks },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tool' as const), turn: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reply' as const), turn: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('say' as const), buttons: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), message: nat }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('ask' as const), turn: fc.option(nat, { nil: null }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), tab: nat, turn: nat }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('done' as const), turn: nat, whole: rarely }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), turn: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), nth: nat }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('stream' as const), on: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('attach' as const),
      tab: nat,
      from: fc.constantFrom(
        'cursor' as const,
        'cursor' as const,
        'earlier' as const,
        'nothing' as const,
        'elsewhere' as const,
      ),
      how: fc.constantFrom('plain' as const, 'batch' as const, 'relay' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('save' as const), tab: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), tab: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), tab: nat }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
];

/** What only a world can do whose sockets and clock are ours, and whose upstream never answers by itself. */
const ours: fc.WeightedArbitrary<Step>[] = [
  { weight: 2, arbitrary: fc.record({ do: fc.constant('press' as const), tab: nat, message: nat }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('answer' as const), tab: nat, prompt: nat, valid: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), tab: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), conversation: nat }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(100, 500, 2_500, 200_000, 400_000),
    }),
  },
];

/** Schedules of up to `steps` steps; `fake` adds those that need a world of our own. */
export function schedules({ steps, fake }: { steps: number; fake: boolean }): fc.Arbitrary<Step[]> {
  return fc.array(fc.oneof(...ordinary, ...(fake ? ours : [])), { minLength: 3, maxLength: steps });
}

import { env } from 'cloudflare:workers';
import worker, * as plain from '../../../src/worker.ts';
import { Activity, Meter } from './meter.ts';

/** The production Worker with a meter at every place that the platform bills; `/__usage` gives what it counted and begins anew. */
const meter = new Meter();

type Method = (this: unknown, ...words: unknown[]) => unknown;

/** Puts `around` in the place of a method of a prototype. */
function wrap(prototype: object, name: string, around: (method: Method) => Method): void {
  const method: unknown = Reflect.get(prototype, name);
  if (typeof method !== 'function') throw new Error(`there is no method ${name} to be metered`);
  Object.defineProperty(prototype, name, {
    value: around(method as Method),
    configurable: true,
    writable: true,
  });
}

/** Every event of an object is one request to it, but for its sockets' messages. */
function meterObject(object: { prototype: object }): void {
  const activities = new WeakMap<object, Activity>();
  const activityOf = (self: object): Activity => {
    let known = activities.get(self);
    if (!known) {
      known = new Activity(meter);
      activities.set(self, known);
    }
    return known;
  };
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object.prototype))) {
    if (name === 'constructor' || typeof value !== 'function') continue;
    wrap(object.prototype, name, (method) => {
      const billed = name === 'webSocketMessage' ? 'socket_messages' : 'object_requests';
      const free = name === 'webSocketClose' || name === 'webSocketError';
      return function (this: unknown, ...words: unknown[]) {
        if (typeof this !== 'object' || this === null) return method.apply(this, words);
        // A call within an event of the same object is no event of its own.
        if (meter.object === activityOf(this)) return method.apply(this, words);
        if (!free) meter.add(billed);
        return meter.during(activityOf(this), () => method.apply(this, words));
      };
    });
  }
}

for (const object of [plain.UserHub, plain.RequestStream, plain.Directory, plain.Admissions])
  meterObject(object);

/** A pending timer keeps an object from hibernating until it has run or is cleared. */
const { setTimeout: begin, clearTimeout: drop } = globalThis;
const pending = new Map<unknown, Activity>();
const over = (timer: unknown) => {
  pending.get(timer)?.end();
  pending.delete(timer);
};
Object.assign(globalThis, {
  setTimeout(work: () => unknown, delay?: number) {
    const timer = begin(() => {
      try {
        return work();
      } finally {
        over(timer);
      }
    }, delay);
    const { object } = meter;
    if (object) {
      object.begin();
      pending.set(timer, object);
    }
    return timer;
  },
  clearTimeout(timer: Parameters<typeof drop>[0]) {
    over(timer);
    drop(timer);
  },
});

const written =
  (name: string) =>
  (method: Method): Method =>
    function (this: unknown, ...words) {
      meter.wrote(name, 1);
      return method.apply(this, words);
    };

/** The platform shows the prototypes of its storage with the first object. */
let metered = false;
function meterStorage(ctx: DurableObjectState): void {
  if (metered) return;
  metered = true;
  const { storage } = ctx;
  wrap(
    Object.getPrototypeOf(storage.sql),
    'exec',
    (exec) =>
      function (this: unknown, ...words) {
        return meter.cursor(
          String(words[0]),
          exec.apply(this, words) as SqlStorageCursor<Record<string, SqlStorageValue>>,
        );
      },
  );
  wrap(Object.getPrototypeOf(storage.kv), 'put', written('kv.put'));
  wrap(Object.getPrototypeOf(storage.kv), 'delete', written('kv.delete'));
  for (const name of ['setAlarm', 'put', 'delete']) wrap(Object.getPrototypeOf(storage), name, written(name));
  wrap(
    Object.getPrototypeOf(ctx),
    'waitUntil',
    (waitUntil) =>
      function (this: unknown, work: unknown) {
        void meter.object?.hold(() => Promise.resolve(work).catch(() => undefined));
        return waitUntil.call(this, work);
      },
  );
}

function meterRecords(): void {
  const counted = async (results: unknown) => {
    for (const { meta } of (await results) as D1Result[]) {
      meter.add('d1_rows_read', meta.rows_read);
      meter.add('d1_rows_written', meta.rows_written);
    }
  };
  wrap(
    Object.getPrototypeOf(env.DB),
    'batch',
    (batch) =>
      async function (this: unknown, ...words) {
        const results = await batch.apply(this, words);
        await counted(results);
        return results;
      },
  );
  const statement: object = Object.getPrototypeOf(env.DB.prepare('SELECT 1'));
  const whole = (method: Method): Method =>
    async function (this: unknown, ...words) {
      const result = await method.apply(this, words);
      await counted([result]);
      return result;
    };
  wrap(statement, 'all', whole);
  wrap(statement, 'run', whole);
  wrap(
    statement,
    'first',
    () =>
      async function (this: unknown) {
        return (await (this as D1PreparedStatement).all()).results[0] ?? null;
      },
  );
  const bucket: object = Object.getPrototypeOf(env.FILES);
  const one =
    (counter: 'r2_writes' | 'r2_reads') =>
    (method: Method): Method =>
      function (this: unknown, ...words) {
        meter.add(counter);
        return method.apply(this, words);
      };
  for (const name of ['put', 'list', 'createMultipartUpload']) wrap(bucket, name, one('r2_writes'));
  for (const name of ['get', 'head']) wrap(bucket, name, one('r2_reads'));
}

let ready = false;

export class UserHub extends plain.UserHub {
  constructor(ctx: DurableObjectState, bindings: plain.Env) {
    meterStorage(ctx);
    super(ctx, bindings);
  }
}

export class RequestStream extends plain.RequestStream {
  constructor(ctx: DurableObjectState, bindings: plain.Env) {
    meterStorage(ctx);
    super(ctx, bindings);
  }
}

export class Admissions extends plain.Admissions {
  constructor(ctx: DurableObjectState, bindings: plain.Env) {
    meterStorage(ctx);
    super(ctx, bindings);
  }
}

export { Directory } from '../../../src/worker.ts';

export default {
  async fetch(request, bindings, ctx) {
    if (!ready) meterRecords();
    ready = true;
    if (new URL(request.url).pathname === '/__usage') return Response.json(meter.take());
    meter.add('worker_requests');
    return worker.fetch(request, bindings, ctx);
  },
} satisfies ExportedHandler<plain.Env>;

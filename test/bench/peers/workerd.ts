/** Serves a Worker with one object class under Miniflare, as Starwire is served: `workerd.ts <bundle> <class> <state> <upstream>`. */
import { basename, dirname } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { onThisMachine } from '../../../src/local/runtime.ts';
import { endOnSignal } from '../../../src/local/signals.ts';

const [path = '', className, state = '', upstream = ''] = process.argv.slice(2);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: 'peer',
    rootPath: dirname(path),
    modules: [{ type: 'ESModule', path: basename(path) }],
    compatibilityDate: '2026-11-02',
    compatibilityFlags: ['nodejs_compat'],
    ...(className ? { durableObjects: { [className]: { className, useSQLite: true } } } : {}),
    bindings: { UPSTREAM_URL: upstream },
    ...onThisMachine(0, state),
    log: new Log(LogLevel.WARN),
  }),
);
endOnSignal(miniflare);
const { port } = await miniflare.ready;
console.log(`listening on ${port}`);

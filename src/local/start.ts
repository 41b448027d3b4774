/** `npm start`: Starwire on this machine, with everything it needs made on the way (P-RUN-1, P-RUN-2). */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig } from '../config.ts';
import { ensureBuilt } from './build.ts';
import { takeLock } from './lock.ts';
import { nextSteps } from './next-steps.ts';
import { openFilesLimit } from './open-files.ts';
import { endRuntimes } from './orphans.ts';
import { inRoot } from './paths.ts';
import { readPort, requireFreePort } from './port.ts';
import { startRuntime } from './runtime.ts';
import { ensureDevVars, readVariables } from './variables.ts';

/** How long a killed workerd may hold its port. */
const release_ms = 2_000;

async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  const devVars = resolve(environment['STARWIRE_VARS'] ?? inRoot('.dev.vars'));
  if (ensureDevVars(devVars)) console.log(`Wrote ${devVars} with new secrets.`);
  const variables = { OPEN_FILES: openFilesLimit(), ...readVariables(devVars, environment) };
  readConfig(variables);
  const port = readPort(environment['PORT']);

  const state = ownState(resolve(environment['STARWIRE_STATE'] ?? inRoot('.starwire')));
  const ended = await endRuntimes(state);
  if (ended > 0) console.log('Ended a workerd that an earlier start had left behind.');
  await requireFreePort(port, ended > 0 ? release_ms : 0);

  ensureBuilt(console.log);
  const origin = await startRuntime({ port, state, variables });
  const health = await fetch(`${origin}/healthz`);
  if (!health.ok)
    throw new Error(`The Worker answers /healthz with ${health.status}: ${await health.text()}`);
  // One write: whoever waits for the first line has the rest as well.
  console.log([`Starwire ready on ${origin}`, ...(await nextSteps(origin, variables))].join('\n'));
}

/** Creates the state folder, makes it this process's own until it ends, and gives its one true path. */
function ownState(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const state = realpathSync(path);
  const owner = `${state}/owner`;
  if (takeLock(`${state}/lock`) === null) {
    throw new Error(
      `Another Starwire (process ${readFileSync(owner, 'utf8')}) is using the state folder ${state}.`,
    );
  }
  writeFileSync(owner, String(process.pid));
  return state;
}

// A reader that has seen enough (`npm start | head -1`) is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  await start(process.env);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { NotReady, type Server, type ServerOptions, startServer } from './server.ts';

const running: Server[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

async function start(options: ServerOptions = {}): Promise<Server> {
  const server = await startServer(options);
  running.push(server);
  return server;
}

/** A state folder that outlives the servers of a test. */
async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'starwire-state-'));
  folders.push(folder);
  return folder;
}

const failure = (options: ServerOptions): Promise<NotReady> =>
  start(options).then(
    () => expect.fail('the server started'),
    (error: unknown) => (error instanceof NotReady ? error : Promise.reject(error)),
  );

/** The sign-in token that the server printed. */
const token = (server: Server): string => /#token=(\S+)/.exec(server.output())?.[1] ?? '';

async function say(server: Server, text: string): Promise<void> {
  const response = await fetch(`${server.origin}/internal/outbound`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.secrets.INTERNAL_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel: 'webchat:you', kind: 'message', text }),
  });
  expect(response.status).toBe(200);
}

async function history(server: Server): Promise<string> {
  const response = await fetch(`${server.origin}/api/conversations/default/messages`, {
    headers: { authorization: `Bearer ${token(server)}` },
  });
  expect(response.status).toBe(200);
  return await response.text();
}

const answers = (server: Server): Promise<boolean> =>
  fetch(`${server.origin}/healthz`).then(
    (response) => response.ok,
    () => false,
  );

describe('P-RUN-1 npm start', () => {
  test('prints one ready line when it answers, and makes its own secrets', async () => {
    const server = await start();
    expect(await answers(server)).toBe(true);
    expect(server.output().match(/^Starwire ready on http:\/\/127\.0\.0\.1:\d+$/gm)).toHaveLength(1);
    expect((await stat(join(server.state, 'dev.vars'))).mode & 0o777).toBe(0o600);
  });

  test('prints a sign-in link and a call, both ready to use', async () => {
    const server = await start();
    expect((await fetch(server.origin)).headers.get('content-type')).toContain('text/html');
    const call = server.output().slice(server.output().indexOf('  curl '));
    await promisify(execFile)('sh', ['-c', call.replace('curl ', 'curl --fail --silent ')]);
    expect(await history(server)).toContain('Hello from curl');
  });

  test('is ready within 5 s where nothing has to be built', async () => {
    const began = performance.now();
    await start();
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('P-ID-5 names the variable that is wrong, and takes the environment before .dev.vars', async () => {
    const { exitCode, output } = await failure({ env: { UPSTREAM_MODE: 'telepathy' } });
    expect(exitCode).toBe(1);
    expect(output).toContain('UPSTREAM_MODE');
    expect(output).not.toContain('    at ');
  });

  test('says that the port is taken', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    const { exitCode, output } = await failure({ port });
    expect(exitCode).toBe(1);
    expect(output).toContain(`Port ${port} is already taken`);
    other.close();
  });
});

describe('P-RUN-2 state', () => {
  test('survives a restart', async () => {
    const state = await stateFolder();
    const first = await start({ state });
    await say(first, 'before the restart');
    await first.stop();
    expect(await history(await start({ state }))).toContain('before the restart');
  });

  test('survives SIGKILL of node, whose workerd the next start ends', async () => {
    const state = await stateFolder();
    const first = await start({ state });
    await say(first, 'before the kill');
    await first.kill();
    const orphans = first.runtimes();
    expect(orphans).toHaveLength(1);

    const second = await start({ state, port: first.port });
    expect(second.origin).toBe(first.origin);
    expect(second.runtimes()).toHaveLength(1);
    expect(second.runtimes()).not.toEqual(orphans);
    expect(await history(second)).toContain('before the kill');
  });

  test('survives SIGKILL of workerd, which comes back on the same port', async () => {
    const server = await start();
    await say(server, 'before the crash');
    const [runtime = 0] = server.runtimes();
    process.kill(runtime, 'SIGKILL');
    await expect.poll(() => answers(server), { timeout: 20_000 }).toBe(true);
    expect(server.runtimes()).not.toContain(runtime);
    expect(await history(server)).toContain('before the crash');
  });

  test('is never shared: a second server says so and exits', async () => {
    const state = await stateFolder();
    const first = await start({ state });
    const { exitCode, output } = await failure({ state });
    expect(exitCode).toBe(1);
    expect(output).toContain(`process ${first.pid}`);
    expect(output).toContain('state folder');
    expect(await answers(first)).toBe(true);
  });

  test('belongs to one server: two on folders of their own run side by side', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await say(one, 'only here');
    expect(await history(other)).not.toContain('only here');
  });
});

describe('P-RUN-2 the end', () => {
  const ends: [string, (server: Server) => void][] = [
    ['SIGTERM to npm', ({ pid }) => process.kill(pid, 'SIGTERM')],
    ['Ctrl-C', ({ pid }) => process.kill(-pid, 'SIGINT')],
  ];

  test.each(ends)('%s ends everything within 5 s, however many still listen', async (_, end) => {
    const server = await start({ npm: true });
    const events = await fetch(`${server.origin}/api/events`, {
      headers: { authorization: `Bearer ${token(server)}` },
    });
    await events.body?.getReader().read();
    expect(server.runtimes()).toHaveLength(1);
    const began = performance.now();
    end(server);
    await server.ended;
    await expect.poll(() => server.runtimes(), { timeout: 5_000 }).toEqual([]);
    await expect.poll(() => answers(server), { timeout: 5_000 }).toBe(false);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(server.output()).not.toContain('crash');
  });
});

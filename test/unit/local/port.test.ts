import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { readPort, requireFreePort } from '../../../src/local/port.ts';

test('P-RUN-2 PORT is honoured, and is 8787 where it is missing', () => {
  expect(readPort(undefined)).toBe(8787);
  expect(readPort('9000')).toBe(9000);
  expect(readPort('0')).toBe(0);
});

test.each(['', 'http', '-1', '80.5', '65536', '1e3'])('PORT=%s is an error that names it', (text) => {
  expect(() => readPort(text)).toThrow(/^PORT /);
});

test('a port that is taken is told by its number; a free one is not', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(requireFreePort(port, 0)).rejects.toThrow(`Port ${port} is already taken`);
  server.close();
  await once(server, 'close');
  await expect(requireFreePort(port, 0)).resolves.toBeUndefined();
});

test('a port that its owner gives back in time is waited for', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const free = requireFreePort(port, 10_000);
  server.close();
  await expect(free).resolves.toBeUndefined();
});

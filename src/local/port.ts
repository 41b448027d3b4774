import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from './variables.ts';

/** Reads PORT; 0 asks the system for a free one. */
export function readPort(text = '8787'): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`PORT must be a number from 0 to 65535, not "${text}".`);
  return port;
}

/** Throws where the port is not free within `wait_ms`: a process just killed gives its port back a moment later. */
export async function requireFreePort(port: number, wait_ms: number): Promise<void> {
  const deadline = Date.now() + wait_ms;
  while (!(await isFree(port))) {
    if (Date.now() >= deadline) {
      throw new Error(`Port ${port} is already taken by another process. Choose one with PORT=… npm start`);
    }
    await delay(20);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return false;
    throw error;
  } finally {
    server.close();
  }
}

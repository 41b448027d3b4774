import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes a free port and says it, as every peer does when it is ready. */
export async function listen(server: Server): Promise<void> {
  await once(server.listen(0, '127.0.0.1', 4_096), 'listening');
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
}

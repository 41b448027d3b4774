/** What the socket of a long ingest carries through a sleep: whether text that came on it is not stored yet. */
interface IngestMark {
  unstored: boolean;
}

/** The marks that this life of the isolate has made: they need not be read again with every batch. */
const ingests = new WeakMap<WebSocket, boolean>();

export function markIngest(socket: WebSocket, unstored: boolean): void {
  if (ingests.get(socket) === unstored) return;
  ingests.set(socket, unstored);
  socket.serializeAttachment({ unstored } satisfies IngestMark);
}

/** Whether this life of the isolate has marked the socket. */
export function isMarked(socket: WebSocket): boolean {
  return ingests.has(socket);
}

export function isIngest(attachment: unknown, unstored?: boolean): attachment is IngestMark {
  if (typeof attachment !== 'object' || attachment === null || !('unstored' in attachment)) return false;
  return unstored === undefined || attachment.unstored === unstored;
}

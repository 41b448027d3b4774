import { resolve } from 'node:path';

/** The project's folder, wherever the command was started from. */
export const root = resolve(import.meta.dirname, '../..');

export const inRoot = (path: string): string => resolve(root, path);

export const pageDir = inRoot('dist/page');
export const workerDir = inRoot('dist/worker');
export const workerScript = inRoot('dist/worker/worker.js');

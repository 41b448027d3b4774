import { bisheng } from './bisheng/bisheng.ts';
import type { Dialect } from './dialect.ts';
import { konstruct } from './konstruct.ts';

/** The socket dialects that are spoken here: a new one is its file and its line. */
export const DIALECTS: readonly Dialect<unknown>[] = [konstruct, bisheng];

/** The dialects that are spoken here (section 7): a new one is modules of its own and its line. */

export { bisheng } from './bisheng.ts';
export { hermes } from './hermes/index.ts';
export { konstruct } from './konstruct.ts';

/** Runs before `npm run dev`: `wrangler dev` reads .dev.vars and keeps a local D1 of its own, and makes neither. */
import { inRoot } from './paths.ts';
import { ensureDevVars } from './variables.ts';
import { runWrangler } from './wrangler.ts';

ensureDevVars(inRoot('.dev.vars'));
runWrangler('d1', 'execute', 'starwire', '--local', '--file', 'schema.sql', '--yes');

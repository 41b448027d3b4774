import { burst } from './burst.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { paced } from './paced.ts';
import { resume } from './resume.ts';
import type { Measurement } from './scenario.ts';
import { sse } from './sse.ts';

/** Everything that is measured against peers, by the name that `npm run bench` knows it by. */
export const SCENARIOS: Record<string, Measurement[]> = { burst, paced, sse, idle, resume, growth };

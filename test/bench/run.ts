import { runBill } from './bill/run.ts';
import { runHistory } from './history.ts';
import { runSpeed, SPEED } from './speed.ts';

/** `npm run bench [name …]`: all benchmarks, or those that are named. */
const BENCHES: Record<string, () => Promise<void>> = {
  ...Object.fromEntries(SPEED.map((name) => [name, () => runSpeed(name)])),
  history: runHistory,
  bill: runBill,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}
for (const [name, run] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}

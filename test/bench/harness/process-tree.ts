import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the same on every Linux. */
const TICKS_PER_SECOND = 100;

interface Process {
  pid: number;
  parent: number;
  ticks: number;
}

/** CPU time that processes and all their children have used, those that have ended included, in ms. */
export function cpuOf(roots: readonly number[]): number {
  const ticks = treeOf(roots).reduce((sum, one) => sum + one.ticks, 0);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** Memory that processes and all their children hold, shared pages by their share, in bytes. */
export function memoryOf(roots: readonly number[]): number {
  let kibibytes = 0;
  for (const { pid } of treeOf(roots))
    kibibytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return kibibytes * 1_024;
}

function treeOf(roots: readonly number[]): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
  const tree = all.filter(({ pid }) => roots.includes(pid));
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** Of `/proc/<pid>/stat`; the second field, the name, may contain anything. */
function processOf(pid: number): Process | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 16) return undefined;
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  const ticks = (user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0);
  return { pid, parent: Number(fields[1]), ticks };
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

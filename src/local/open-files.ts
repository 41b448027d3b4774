import { execFileSync } from 'node:child_process';

/**
 * How many files a process that is started here may have open; undefined where there is no limit. Node has raised the limit to
 * the hard one by the time it runs anything, and what it starts inherits that.
 */
export function openFilesLimit(): string | undefined {
  const limit = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return /^\d+$/.test(limit) ? limit : undefined;
}

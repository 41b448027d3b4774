import { globSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { pageDir, workerDir } from './paths.ts';

/** Budgets in KiB after gzip: a Worker starts cold in a few ms, a page is usable at once on a slow phone. */
const worker_budget_kib = 150;
const page_budget_kib = 60;
const styles_budget_kib = 15;

const gzip_kib = (files: string[]): number =>
  files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0) / 1024;

/** What the page loads before it is usable: the files of a kind that its HTML names. */
function firstLoad(ending: 'js' | 'css'): string[] {
  const html = readFileSync(`${pageDir}/index.html`, 'utf8');
  const tags = html.match(/<(?:script|link)\b[^>]*>/g) ?? [];
  return tags
    .map((tag) => /\b(?:src|href)="(\/[^"]+)"/.exec(tag)?.[1])
    .filter((path) => path?.endsWith(`.${ending}`))
    .map((path) => `${pageDir}${path}`);
}

function report(what: string, files: string[], budget_kib: number): boolean {
  const size_kib = gzip_kib(files);
  const fits = files.length > 0 && size_kib <= budget_kib;
  console.log(`${what}: ${size_kib.toFixed(1)} KiB gzip of ${budget_kib} KiB${fits ? '' : ': over budget'}`);
  return fits;
}

const worker = report('Worker', globSync(`${workerDir}/*.{js,wasm}`), worker_budget_kib);
const page = report('Page, first-load script', firstLoad('js'), page_budget_kib);
const styles = report('Page, styles', firstLoad('css'), styles_budget_kib);
if (!worker || !page || !styles) process.exitCode = 1;

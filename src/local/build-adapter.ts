import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'vite';
import { inRoot } from './paths.ts';

/**
 * The SDK for services as one file and its types, `adapter.js` and `adapter.d.ts`, for those who copy it into a project of
 * their own.
 */
export async function buildAdapter(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'es2023',
      lib: { entry: inRoot('src/adapter/index.ts'), formats: ['es'], fileName: () => 'adapter.js' },
    },
  });
  writeFileSync(`${folder}/adapter.d.ts`, declarations());
}

/** The modules' declarations behind each other, and what of them is public: they import each other only, and no name is there twice. */
function declarations(): string {
  const folder = mkdtempSync(`${inRoot('dist')}/adapter-types-`);
  try {
    const options = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--incremental', 'false'];
    const world = ['-p', inRoot('src/adapter/tsconfig.json'), '--outDir', folder];
    execFileSync(inRoot('node_modules/.bin/tsc'), [...world, ...options], { stdio: 'inherit' });
    const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');
    const inner = readdirSync(folder).filter((name) => name !== 'index.d.ts');
    const known = inner
      .map(read)
      .join('')
      .replaceAll(/^import [^;]*;\n|^export (?:\{\};\n)?/gm, '');
    return `${known}${read('index.d.ts').replaceAll(/ from '[^']*'/g, '')}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) await buildAdapter(inRoot('dist'));

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { openApi } from './src/openapi/document.ts';
import { docsPage } from './src/openapi/page.ts';

/** `/openapi.json` and `/docs`, made from the schemas that the Worker checks by. */
const description: Plugin = {
  name: 'starwire-description',
  generateBundle() {
    const files = {
      'openapi.json': JSON.stringify(openApi()),
      'docs.html': docsPage(),
      'docs.css': readFileSync(new URL('src/openapi/docs.css', import.meta.url), 'utf8'),
    };
    for (const [fileName, source] of Object.entries(files))
      this.emitFile({ type: 'asset', fileName, source });
  },
};

const root = 'src/web';

/** The service worker, with the list of all files that it keeps. */
function serviceWorker(): Plugin {
  return {
    name: 'starwire:service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const built = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
      const files = [
        '/',
        '/theme.js',
        '/favicon.svg',
        '/manifest.webmanifest',
        ...built.map((name) => `/${name}`),
      ];
      const parts = Object.values(bundle).map((part) =>
        part.type === 'chunk' ? part.code : String(part.source),
      );
      const version = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
      const source = readFileSync(`${root}/service-worker.js`, 'utf8')
        .replace('__FILES__', JSON.stringify(files))
        .replace('__VERSION__', version);
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

const shared = {
  root,
  cacheDir: '../../node_modules/.vite',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
} as const;

const output = { outDir: '../../dist/page', target: 'es2023' };

/**
 * Builds the chat page: every script is a file of its own, so that the page's CSP needs no `unsafe-inline`. With
 * `--mode embed`, which comes second: `<starwire-chat>` as one script.
 */
export default defineConfig(({ mode }) =>
  mode === 'embed'
    ? {
        ...shared,
        publicDir: false,
        build: {
          ...output,
          emptyOutDir: false,
          lib: { entry: 'embed/embed.ts', formats: ['es'], fileName: () => 'embed.js' },
          rolldownOptions: { output: { codeSplitting: false } },
        },
        define: { 'process.env.NODE_ENV': '"production"' },
      }
    : {
        ...shared,
        plugins: [serviceWorker(), description],
        build: {
          ...output,
          emptyOutDir: true,
          // data: urls would need an exception in the CSP.
          assetsInlineLimit: 0,
          // The polyfill is a script of its own that every browser of the target can do without.
          modulePreload: { polyfill: false },
        },
      },
);

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

/** Builds the chat page. Every script is a file of its own, so that the page's CSP needs no `unsafe-inline`. */
export default defineConfig({
  root: 'src/web',
  cacheDir: '../../node_modules/.vite',
  plugins: [description],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2023',
    // data: urls would need an exception in the CSP.
    assetsInlineLimit: 0,
    // The polyfill is a script of its own that every browser of the target can do without.
    modulePreload: { polyfill: false },
  },
});

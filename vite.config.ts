import { defineConfig } from 'vite';

/** Builds the chat page. Every script is a file of its own, so that the page's CSP needs no `unsafe-inline`. */
export default defineConfig({
  root: 'src/web',
  cacheDir: '../../node_modules/.vite',
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

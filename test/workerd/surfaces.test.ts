import { expect, test } from 'vitest';
import { appOf } from '../../src/routes/root.ts';
import * as spoken from '../../src/routes/spoken.ts';
import { SURFACES } from '../surfaces.ts';

test('every route is in the table of surfaces, which the suites of tokens and of isolation go through', () => {
  const { routes: all } = appOf(spoken);
  const routes = all.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(SURFACES).sort()).toEqual([...new Set(routes)].sort());
});

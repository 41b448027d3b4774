export * from '../../../src/routes/spoken.ts';
export { lines } from './lines.ts';

// Plans an evaluation, joins its shards, judges and reports.
import { ThreadPool } from '@facet/threads';

export { baselineModel } from './baseline.js';
export { EVALUATION_SERVICE } from './declaration.js';
export { type ConcludeDependencies } from './conclude.js';
export { evaluationHandlers } from './handlers.js';
export { transferMatrix, type TransferDependencies } from './transfer.js';

/** A worker thread that renders pages. */
export const openPageRenderer = (): ThreadPool =>
  new ThreadPool({ name: 'report', url: new URL('../dist/worker.js', import.meta.url), size: 1 });

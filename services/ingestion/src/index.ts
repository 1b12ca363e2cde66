// Datasets in: readers to checked, cropped, sharded samples.
import { ThreadPool } from '@facet/threads';

export { INGESTION_SERVICE } from './declaration.js';
export { ingestionHandler } from './handler.js';
export { ingest, type IngestContext, type IngestDependencies } from './ingest.js';

/** Worker threads that render synthetic faces. */
export const openRenderer = (size: number): ThreadPool =>
  new ThreadPool({ name: 'ingestion', url: new URL('../dist/worker.js', import.meta.url), size });

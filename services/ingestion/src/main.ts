#!/usr/bin/env node
/** The ingestion service as a process. */
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { INGESTION_SERVICE } from './declaration.js';
import { ingestionHandler, openRenderer } from './index.js';

await runService(INGESTION_SERVICE, packageVersion(import.meta.url), ({ store, threads, lifecycle }) => {
  const renderer = lifecycle.own('renderer of faces', openRenderer(threads), (pool) => pool.close());
  return [ingestionHandler({ store, renderer })] as AnyHandler[];
});

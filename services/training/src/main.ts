#!/usr/bin/env node
/** The training service as a process. */
import { openEngine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { openBackend } from './backend.js';
import { TRAINING_SERVICE } from './declaration.js';
import { trainingHandlers } from './handler.js';

await runService(
  TRAINING_SERVICE,
  packageVersion(import.meta.url),
  async ({ store, threads, lifecycle, log }) => {
    const opened = await openEngine({ threads }, (line) => log.info(line));
    const engine = lifecycle.own('engine', opened, (e) => e.close());
    const backend = openBackend((line) => log.warn(line));
    return trainingHandlers({ store, engine, backend }) as AnyHandler[];
  },
);

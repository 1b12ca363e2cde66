#!/usr/bin/env node
/** The training service as a process. */
import { Engine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { TRAINING_SERVICE } from './declaration.js';
import { trainingHandlers } from './handler.js';

await runService(TRAINING_SERVICE, packageVersion(import.meta.url), ({ store, threads, lifecycle }) => {
  const engine = lifecycle.own('engine', new Engine({ threads }), (e) => e.close());
  return trainingHandlers({ store, engine }) as AnyHandler[];
});

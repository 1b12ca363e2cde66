#!/usr/bin/env node
/** The features service as a process. */
import { openEngine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { FEATURES_SERVICE } from './declaration.js';
import { featuresHandler } from './handler.js';

await runService(
  FEATURES_SERVICE,
  packageVersion(import.meta.url),
  async ({ store, threads, lifecycle, log }) => {
    const opened = await openEngine({ threads }, (line) => log.info(line));
    const engine = lifecycle.own('engine', opened, (e) => e.close());
    return [featuresHandler({ store, engine })] as AnyHandler[];
  },
);

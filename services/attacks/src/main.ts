#!/usr/bin/env node
/** The attacks service as a process. */
import { openEngine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { ATTACKS_SERVICE } from './declaration.js';
import { attacksHandler } from './handler.js';

await runService(
  ATTACKS_SERVICE,
  packageVersion(import.meta.url),
  async ({ store, threads, lifecycle, log }) => {
    const opened = await openEngine({ threads }, (line) => log.info(line));
    const engine = lifecycle.own('engine', opened, (e) => e.close());
    return [attacksHandler({ store, engine })] as AnyHandler[];
  },
);

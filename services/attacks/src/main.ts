#!/usr/bin/env node
/** The attacks service as a process. */
import { Engine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { ATTACKS_SERVICE } from './declaration.js';
import { attacksHandler } from './handler.js';

await runService(ATTACKS_SERVICE, packageVersion(import.meta.url), ({ store, threads, lifecycle }) => {
  const engine = lifecycle.own('engine', new Engine({ threads }), (e) => e.close());
  return [attacksHandler({ store, engine })] as AnyHandler[];
});

#!/usr/bin/env node
/** The features service as a process. */
import { Engine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { FEATURES_SERVICE } from './declaration.js';
import { featuresHandler } from './handler.js';

await runService(FEATURES_SERVICE, packageVersion(import.meta.url), ({ store, threads, lifecycle }) => {
  const engine = lifecycle.own('engine', new Engine({ threads }), (e) => e.close());
  return [featuresHandler({ store, engine })] as AnyHandler[];
});

#!/usr/bin/env node
/** The evaluation service as a process. */
import { openEngine } from '@facet/engine';
import { type AnyHandler, packageVersion, runService } from '@facet/runtime';
import { EVALUATION_SERVICE } from './declaration.js';
import { evaluationHandlers, openPageRenderer } from './index.js';

const version = packageVersion(import.meta.url);

await runService(EVALUATION_SERVICE, version, async ({ store, threads, lifecycle, log }) => {
  const opened = await openEngine({ threads }, (line) => log.info(line));
  const engine = lifecycle.own('engine', opened, (e) => e.close());
  const renderer = lifecycle.own('renderer of pages', openPageRenderer(), (pool) => pool.close());
  return evaluationHandlers({ store, engine, renderer, version }) as AnyHandler[];
});

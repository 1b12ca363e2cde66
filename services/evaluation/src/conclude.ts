/** Ends an evaluation whose shards are all in: metrics, verdict, report. The JSON is written last. */
import { cpus } from 'node:os';
import {
  Dataset,
  loadFeatures,
  loadModel,
  loadRequest,
  loadScores,
  type PlannedEvaluation,
} from '@facet/catalog';
import { keys, type Outcome, type Report } from '@facet/contracts';
import type { Engine } from '@facet/engine';
import { renderJUnit } from '@facet/report';
import { canonicalJson, type ObjectStore } from '@facet/store';
import type { ThreadPool } from '@facet/threads';
import { cellOutcomes, curvesOf, gainsOf, judgeCell, judgeClean, ranksOf } from './judge.js';
import { verdictOf } from './policy.js';
import { recheck } from './recheck.js';
import { picturesOf, worstCases } from './worst.js';

export interface ConcludeDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
  /** Where pages are rendered, off the event loop. */
  readonly renderer: ThreadPool;
  /** Facet's own version. */
  readonly version: string;
}

/** Writes report.html, report.xml and report.json, and returns the report. */
export async function conclude(
  dependencies: ConcludeDependencies,
  planned: PlannedEvaluation,
  signal: AbortSignal,
): Promise<Report> {
  const { store, engine, renderer, version } = dependencies;
  const { evaluation, plan } = planned;
  const [model, dataset, { summary }, scores, { policy }] = await Promise.all([
    loadModel(store, planned.model),
    Dataset.open(store, planned.dataset),
    loadFeatures(store, planned.features),
    loadScores(store, planned.features),
    loadRequest(store, evaluation),
  ]);
  const threshold = summary.threshold.value;
  const outcomes = new Map<string, Outcome[]>();
  for (const cell of planned.cells) outcomes.set(cell.id, await cellOutcomes(store, planned, cell));
  const clean = judgeClean(summary, scores);
  const cells = planned.cells.map((cell) => judgeCell(cell, outcomes.get(cell.id) ?? [], threshold));
  const curves = curvesOf(cells);
  const facets = summary.facets;
  const ranks = ranksOf(
    plan,
    curves,
    facets.map(({ facet }) => facet),
  );
  const worst = worstCases(planned, outcomes, threshold);
  const report: Report = {
    schema: 'facet.report/v1',
    evaluation,
    model: { ...model.ref, sha256: model.digest },
    dataset: { ...planned.dataset, digest: dataset.manifest.digest },
    plan,
    clean,
    facets: facets.map((facet) => ({ ...facet, rank: ranks.get(facet.facet) ?? null })),
    cells,
    curves,
    gains: gainsOf(cells),
    worst,
    verdict: verdictOf(policy, clean, cells),
    notes: summary.notes,
    provenance: {
      facet: version,
      seed: plan.seed,
      backend: engine.backend,
      cpu: cpus().at(0)?.model ?? 'unknown',
      recheck: await recheck({ store, engine }, planned, threshold, signal),
    },
  };
  const pictures = await picturesOf({ store, engine }, planned, worst, signal);
  const html = await renderer.run<string>('html', { report, pictures }, { signal });
  const text = new TextEncoder();
  await store.put(keys.evaluation.report(evaluation, 'html'), text.encode(html), { signal });
  await store.put(keys.evaluation.report(evaluation, 'xml'), text.encode(renderJUnit(report)), { signal });
  await store.put(keys.evaluation.report(evaluation, 'json'), text.encode(canonicalJson(report)), { signal });
  return report;
}

/** Ends an evaluation whose shards are all in: figures, verdict, report. The JSON is written last. */
import { cpus } from 'node:os';
import { Dataset, loadFeatures, loadRequest, type PlannedEvaluation } from '@facet/catalog';
import { type FailedCell, keys, type Report } from '@facet/contracts';
import type { Engine } from '@facet/engine';
import { renderJUnit } from '@facet/report';
import { canonicalJson, type ObjectStore } from '@facet/store';
import type { ThreadPool } from '@facet/threads';
import { failureNote } from './failed.js';
import type { Figures, FiguresInput } from './figures.js';
import { lowerBoundNotes } from './lower-bounds.js';
import { judgeBy } from './policy.js';
import { recheck } from './recheck.js';
import { storedBaseline, storedEvaluation } from './stored.js';
import { picturesOf, worstCases } from './worst.js';

export interface ConcludeDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
  /** Where figures are computed and pages rendered, off the event loop. */
  readonly renderer: ThreadPool;
  /** Facet's own version. */
  readonly version: string;
}

/**
 * Writes report.html, report.xml and report.json, and returns the report.
 * @param planned with the cells alone that have outcomes
 * @param failed those that have none
 */
export async function conclude(
  dependencies: ConcludeDependencies,
  planned: PlannedEvaluation,
  failed: readonly FailedCell[],
  signal: AbortSignal,
): Promise<Report> {
  const { store, engine, renderer, version } = dependencies;
  const { evaluation, plan } = planned;
  const request = await loadRequest(store, evaluation);
  const { summary } = await loadFeatures(store, planned.features);
  const { manifest: dataset } = await Dataset.open(store, planned.dataset);
  const current = await storedEvaluation(store, planned);
  const baseline = await storedBaseline(store, request);
  const failedFacets = failed.map(({ facet }) => facet);
  const input: FiguresInput = { plan, current, baseline, failedFacets };
  // One computes in a thread of its own, the other in the engine's.
  const [{ worst: byCell, ...figures }, rechecked] = await Promise.all([
    renderer.run<Figures>('figures', input, { signal }),
    recheck({ store, engine }, planned, summary.threshold.value, signal),
  ]);
  const worst = worstCases(planned, byCell);
  const { verdict, notes } = judgeBy(request.policy, { ...figures, failed });
  const report: Report = {
    schema: 'facet.report/v1',
    evaluation,
    model: current.model,
    dataset: { ...planned.dataset, digest: dataset.digest },
    plan,
    ...figures,
    ...(failed.length > 0 && { failedCells: [...failed] }),
    worst,
    verdict,
    notes: [...summary.notes, ...failed.map(failureNote), ...lowerBoundNotes(plan), ...notes],
    provenance: {
      facet: version,
      seed: plan.seed,
      backend: engine.backend,
      cpu: cpus().at(0)?.model ?? 'unknown',
      recheck: rechecked,
    },
  };
  const pictures = await picturesOf({ store, engine }, planned, worst, signal);
  const html = await renderer.run<string>('html', { report, pictures }, { signal });
  const text = new TextEncoder();
  await store.put(keys.evaluation.report(evaluation, 'html'), text.encode(html), { signal });
  await store.put(keys.evaluation.report(evaluation, 'xml'), text.encode(renderJUnit(report)), { signal });
  await store.put(keys.evaluation.report(evaluation, 'json'), text.encode(canonicalJson(report)), { signal });
  // Made of an earlier report, where shards were given up that have been finished since.
  await store.delete(keys.evaluation.summary(evaluation));
  return report;
}

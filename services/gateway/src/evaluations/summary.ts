/** An evaluation's report in a line, kept beside it: lists and boards need it, and reports are large. */
import { digestOf } from '@facet/catalog';
import { api, type CellReport, keys, Report } from '@facet/contracts';
import { type ObjectStore, readJson, writeJson } from '@facet/store';

function extreme(
  cells: readonly CellReport[],
  rateOf: (cell: CellReport) => number | null,
  better: (a: number, b: number) => boolean,
): { cell: CellReport; rate: number } | undefined {
  let found: { cell: CellReport; rate: number } | undefined;
  for (const cell of cells) {
    const rate = rateOf(cell);
    if (rate !== null && (found === undefined || better(rate, found.rate))) found = { cell, rate };
  }
  return found;
}

/** Controls attack nothing by design, so they take no part. */
export function summarise({
  model,
  dataset,
  plan,
  clean,
  cells,
  failedCells = [],
  facets,
  verdict,
}: Report): api.EvaluationSummary {
  const attacks = cells.filter(({ objective }) => objective !== 'control');
  const worst = extreme(
    attacks,
    (cell) => cell.attackSuccessRate,
    (a, b) => a > b,
  );
  return {
    schema: 'facet.summary/v1',
    verdict,
    modelDigest: model.sha256,
    datasetDigest: dataset.digest,
    planDigest: digestOf(plan),
    cleanAcer: clean.acer,
    cleanAuc: clean.auc,
    worstAuc:
      extreme(
        attacks,
        (cell) => cell.robustAuc,
        (a, b) => a < b,
      )?.rate ?? null,
    worstAttackSuccess: worst?.rate ?? null,
    failedCells: failedCells.length,
    worstCell: worst?.cell.id ?? null,
    weakestFacet: facets.find(({ rank }) => rank === 1)?.facet ?? null,
  };
}

/** Undefined where there is no report. One of an older form is made anew. */
export async function summaryOf(store: ObjectStore, id: string): Promise<api.EvaluationSummary | undefined> {
  const key = keys.evaluation.summary(id);
  const kept = await readJson(store, key, (value) => api.EvaluationSummary.safeParse(value).data);
  if (kept !== undefined) return kept;
  const report = await readJson(store, keys.evaluation.report(id, 'json'), (value) => Report.parse(value));
  if (report === undefined) return undefined;
  const summary = summarise(report);
  await writeJson(store, key, summary);
  return summary;
}

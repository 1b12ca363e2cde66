/**
 * Models compared, where they can be: on the same data by the same plan. By the area under the ROC curve that the worst
 * attack leaves, since rates at a threshold reward a model that says live more often. An evaluation that lacks cells is on
 * no board: who crashes the attacker would win.
 */
import { type api, type Ref } from '@facet/contracts';
import type { Evaluations } from '../evaluations/evaluations.js';
import type { Models } from './models.js';

type Board = api.Leaderboard['boards'][number];
type Row = Board['rows'][number];

export interface BoardFilter {
  readonly dataset?: Ref;
  readonly plan?: string;
}

export async function leaderboard(
  evaluations: Evaluations,
  models: Models,
  { dataset, plan }: BoardFilter,
): Promise<api.Leaderboard> {
  const boards = new Map<string, Board & { rows: Row[] }>();
  const filter = { state: 'completed', ...(dataset && { dataset }) } as const;
  for await (const found of evaluations.list(undefined, filter)) {
    const { id, model, summary } = found;
    if (summary === null || summary.failedCells > 0 || (plan !== undefined && found.plan.name !== plan))
      continue;
    const place = `${found.dataset.name}@${found.dataset.version} ${summary.datasetDigest} ${summary.planDigest}`;
    const { planDigest } = summary;
    const board = boards.get(place) ?? {
      dataset: found.dataset,
      plan: found.plan.name,
      planDigest,
      rows: [],
    };
    board.rows.push({ rank: 0, model, stage: await models.stageOf(model), evaluation: id, summary });
    boards.set(place, board);
  }
  const inOrder = [...boards].sort(([a], [b]) => (a < b ? -1 : 1));
  return { boards: inOrder.map(([, board]) => ({ ...board, rows: ranked(board.rows) })) };
}

/** One policy more or less makes another evaluation of the same; a model stands on a board once. */
function ranked(rows: readonly Row[]): Row[] {
  const first = new Map<string, Row>();
  for (const row of [...rows].sort(compare)) {
    const model = `${row.model.name}@${row.model.version}`;
    if (!first.has(model)) first.set(model, row);
  }
  return [...first.values()].map((row, i) => ({ ...row, rank: i + 1 }));
}

function compare(a: Row, b: Row): number {
  const most = (rate: number | null) => rate ?? -1;
  const least = (rate: number | null) => rate ?? 2;
  return (
    most(b.summary.worstAuc) - most(a.summary.worstAuc) ||
    least(a.summary.worstAttackSuccess) - least(b.summary.worstAttackSuccess) ||
    most(b.summary.cleanAuc) - most(a.summary.cleanAuc) ||
    (a.evaluation < b.evaluation ? -1 : 1)
  );
}

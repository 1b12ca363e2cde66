/** What a defence costs a network and what it buys, from its evaluations on the study's faces and under another camera. */
import { loadPlan, loadScores } from '@facet/catalog';
import {
  type CellReport,
  type CleanScore,
  DECISION_FACET,
  type DefendedFigures,
  type Report,
} from '@facet/contracts';
import { auc } from '@facet/metrics';
import type { ObjectStore } from '@facet/store';

/** Decision scores of the clean test split. */
export async function cleanScores(store: ObjectStore, evaluation: string): Promise<CleanScore[]> {
  const scores = await loadScores(store, (await loadPlan(store, evaluation)).features);
  return scores.filter(({ split }) => split === 'test');
}

/** AUC of live against the spoofs that are `chosen`; null where there are none. */
const aucAgainst = (scores: readonly CleanScore[], chosen: (species: string) => boolean): number | null =>
  auc(
    scores
      .filter(({ label, species }) => label === 'live' || chosen(species ?? ''))
      .map(({ score, label }) => ({ score, live: label === 'live' })),
  );

/** @param heldOut species that the train split does not hold */
export function defendedFigures(
  { cells }: Pick<Report, 'cells'>,
  { clean, shifted }: { readonly clean: readonly CleanScore[]; readonly shifted: readonly CleanScore[] },
  heldOut: readonly string[],
): DefendedFigures {
  const direct = cells.filter(({ facet, objective }) => facet === DECISION_FACET && objective === 'direct');
  const unseen = (species: string): boolean => heldOut.includes(species);
  return {
    clean: aucAgainst(clean, (species) => !unseen(species)),
    shifted: aucAgainst(shifted, (species) => !unseen(species)),
    unseen: aucAgainst(clean, unseen),
    attacked: direct
      .sort((a, b) => a.epsilon - b.epsilon)
      .map((cell) => ({ epsilon: cell.epsilon, auc: cell.robustAuc, success: successOf(cell) })),
    sfa: sfaSuccess(cells),
  };
}

/** At the threshold of equal error on the dev split. */
const successOf = ({ calibrated }: CellReport): number | null => calibrated?.attackSuccessRate ?? null;

/** Of SFA at the largest epsilon at which facets were attacked, the mean over them; null where none was. */
function sfaSuccess(cells: readonly CellReport[]): number | null {
  const all = cells.filter(({ objective }) => objective === 'sfa');
  const epsilon = Math.max(...all.map((cell) => cell.epsilon));
  const rates = all.filter((cell) => cell.epsilon === epsilon).flatMap((cell) => successOf(cell) ?? []);
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

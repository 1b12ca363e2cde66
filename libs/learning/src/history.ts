/**
 * How a training goes: means over the epoch under way, records of those that ended, and which was the best. All of it is
 * part of a checkpoint, so that a training that continues tells the same story.
 */
import type { EpochRecord, TrainingHistory, Validation } from '@facet/contracts';
import type { Named } from './trainer.js';

/** Sums over the steps of the epoch under way. */
export interface EpochSums {
  readonly steps: number;
  readonly losses: Named<number>;
}

export const NO_SUMS: EpochSums = { steps: 0, losses: {} };

export const addStep = ({ steps, losses }: EpochSums, step: Named<number>): EpochSums => ({
  steps: steps + 1,
  losses: Object.fromEntries(Object.entries(step).map(([name, loss]) => [name, (losses[name] ?? 0) + loss])),
});

export const meansOf = ({ steps, losses }: EpochSums): Record<string, number> =>
  Object.fromEntries(Object.entries(losses).map(([name, sum]) => [name, sum / steps]));

/** What epochs are compared by, higher is better: the AUC, or its mean with the AUC under attack. */
export function merit({ auc, robustAuc }: Validation): number {
  if (auc === null) return -Infinity;
  return robustAuc === null ? auc : (auc + robustAuc) / 2;
}

/** The best of the epochs that were validated, the earliest of equals; the last one where none was. */
export function bestEpoch(epochs: readonly EpochRecord[]): number {
  let best: EpochRecord | undefined;
  for (const one of epochs) {
    if (one.validation === null) continue;
    if (best === undefined || merit(one.validation) > merit(best.validation!)) best = one;
  }
  return best?.epoch ?? epochs.at(-1)?.epoch ?? 0;
}

export const historyOf = (epochs: readonly EpochRecord[]): TrainingHistory => ({
  schema: 'facet.training-history/v1',
  epochs: [...epochs],
  best: bestEpoch(epochs),
});

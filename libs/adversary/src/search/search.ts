/** What every search is: a loop over the oracle that moves pixels inside a budget. */
import { formatSearch, type SearchConfig } from '@facet/contracts';
import type { AttackBatch, GradientOracle } from '../ports.js';
import type { Budget } from '../threat/budget.js';
import { gradientDescent } from './gradient-descent.js';

export interface SearchContext {
  readonly oracle: GradientOracle;
  readonly budget: Budget;
  /** Of the random starts; with a sample's key it decides that sample's. */
  readonly seed: number;
  /** Keys of the samples, so that a sample's random numbers do not depend on its place in a batch. */
  readonly keys: readonly string[];
  /** Of a sample that has been fooled (score on the wrong side), given its score. */
  readonly fooled: (score: number, label: number) => boolean;
  readonly signal?: AbortSignal;
  /** Called after each gradient step with the samples that it served. */
  readonly onStep?: (samples: number) => void;
}

/**
 * Adversarial 8-bit images [n, 3, height, width] for a batch of 8-bit clean ones, inside the budget.
 * Errors: rejects with the oracle's error, or with `signal.reason` when aborted.
 */
export type Search = (batch: AttackBatch, clean: Uint8Array, context: SearchContext) => Promise<Uint8Array>;

/** The search that a plan's configuration names. FGSM and PGD are presets of one loop. */
export function searchOf(config: SearchConfig): Search {
  switch (config.name) {
    case 'fgsm':
      // Goodfellow et al., ICLR 2015: one step of length epsilon from the clean image.
      return gradientDescent({ name: 'fgsm', steps: 1, restarts: 1, relativeStep: 1, randomStart: false });
    case 'pgd':
      // Madry et al., ICLR 2018; step 2.5 epsilon / steps.
      return gradientDescent({
        name: formatSearch(config),
        steps: config.steps,
        restarts: config.restarts,
        relativeStep: config.relativeStep ?? 2.5 / config.steps,
        randomStart: true,
      });
  }
}

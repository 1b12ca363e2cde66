/** What every search is: a loop over the oracle that moves pixels inside a budget. */
import type { AttackBatch, GradientOracle } from '../ports.js';
import type { Budget } from '../threat/budget.js';

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

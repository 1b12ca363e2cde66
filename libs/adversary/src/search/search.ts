/** What every search is: a way to move the pixels of an attack's open samples inside a budget. */
import type { AttackBatch, GradientOracle, ScoreOracle, StepOracle } from '../ports.js';
import type { Budget } from '../threat/budget.js';
import type { Attack } from './attack.js';

/** Clean 8-bit images that the model decides as live, and as spoof: where a search may come from that needs one. */
export interface Donors {
  readonly live: readonly Uint8Array[];
  readonly spoof: readonly Uint8Array[];
}

export interface SearchContext {
  /**
   * Without `gradient` for a model that cannot be differentiated. `step` suffices for a search that
   * {@link stepsBySigns}; such a search takes it wherever it is offered.
   */
  readonly oracle: ScoreOracle &
    Partial<Pick<GradientOracle, 'gradient'>> &
    Partial<Pick<StepOracle, 'step'>>;
  readonly budget: Budget;
  /** Of all that is random; with a sample's key it decides that sample's. */
  readonly seed: number;
  /** Keys of the samples, so that a sample's random numbers do not depend on its place in a batch. */
  readonly keys: readonly string[];
  /** Decision scores [n] of the clean images. */
  readonly cleanScores: Float64Array;
  /** Scores from it on are decided as live. */
  readonly threshold: number;
  readonly donors?: Donors;
  /** Of the images. */
  readonly height: number;
  readonly width: number;
  readonly signal?: AbortSignal;
  /** Called after each pass through the model with the samples that it served. */
  readonly onStep?: (samples: number) => void;
}

/** What an attack ends with. */
export interface Attacked {
  /**
   * 8-bit images [n, 3, height, width] inside the budget: of each sample the one decided most wrongly of those
   * that the search made; the clean one, where that is decided wrongly already or the search made none.
   */
  readonly images: Uint8Array;
  /** Their decision scores [n], of the published model. */
  readonly scores: Float64Array;
}

/**
 * One stage of an attack. It works on the samples that are open, has its images judged, and leaves the attack with
 * those that still stand; `stage` names its random numbers.
 */
export type Stage = (attack: Attack, stage: number) => Promise<void>;

/**
 * Adversarial 8-bit images for a batch of 8-bit clean ones [n, 3, height, width], inside the budget.
 * Errors: rejects with the oracle's error, or with `signal.reason` when aborted; RangeError where the search follows
 * gradients and the oracle has none.
 */
export type Search = (batch: AttackBatch, clean: Uint8Array, context: SearchContext) => Promise<Attacked>;

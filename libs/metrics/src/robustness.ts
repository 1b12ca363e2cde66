/**
 * What an attack did to decisions, at the threshold that was frozen on clean dev samples. Success is counted among
 * the samples that were decided rightly before; robust rates are over all samples, each at its worst score. So
 * robust errors = clean errors + successes, exactly.
 */
import { accuracy, acer, apcer, apcerBySpecies, bpcer, type SpeciesApcer } from './rates.js';
import { auc } from './ranking.js';
import { attacksBySpecies, checkThreshold, decidesLive, share, type Sample } from './sample.js';

/** One attacked sample: its score before and after. Scores are high for live. */
export interface Outcome {
  readonly cleanScore: number;
  /** Of the adversarial image as it is stored, after quantisation to 8 bits. */
  readonly adversarialScore: number;
  readonly live: boolean;
  readonly species?: string | null;
}

export interface Success {
  /** Samples that were decided rightly before the attack. */
  readonly attempted: number;
  /** How many of them the attack turned. */
  readonly succeeded: number;
  /** succeeded / attempted; null where nothing was attempted. */
  readonly rate: number | null;
}

export interface AttackSuccess extends Success {
  readonly directions: {
    /** Lets an attacker in. */
    readonly spoofAsLive: Success;
    /** Locks a person out. */
    readonly liveAsSpoof: Success;
  };
  /** Attacks only, by species and in the order of names; a species with nothing attempted is there too. */
  readonly bySpecies: Readonly<Record<string, Success>>;
}

function checkOutcomes(outcomes: readonly Outcome[]): void {
  outcomes.forEach((outcome, i) => {
    for (const field of ['cleanScore', 'adversarialScore'] as const)
      if (Number.isNaN(outcome[field])) throw new RangeError(`outcome ${i}: ${field} is NaN`);
  });
}

export const successOf = (attempted: number, succeeded: number): Success => ({
  attempted,
  succeeded,
  rate: share(succeeded, attempted),
});

/** Success among some outcomes: those of a species or an illumination. */
export function successAmong(outcomes: readonly Outcome[], threshold: number): Success {
  const right = outcomes.filter((o) => decidesLive(o.cleanScore, threshold) === o.live);
  const turned = right.filter((o) => decidesLive(o.adversarialScore, threshold) !== o.live);
  return successOf(right.length, turned.length);
}

/** Attack success: the share of rightly decided samples whose decision flips. NaN throws a RangeError. */
export function attackSuccess(outcomes: readonly Outcome[], threshold: number): AttackSuccess {
  checkOutcomes(outcomes);
  checkThreshold(threshold);
  const ofClass = (live: boolean) => outcomes.filter((o) => o.live === live);
  return {
    ...successAmong(outcomes, threshold),
    directions: {
      spoofAsLive: successAmong(ofClass(false), threshold),
      liveAsSpoof: successAmong(ofClass(true), threshold),
    },
    bySpecies: Object.fromEntries(
      attacksBySpecies(outcomes).map(([species, attacks]) => [species, successAmong(attacks, threshold)]),
    ),
  };
}

/**
 * Each sample at the worse of its two scores for the model: an attacker may always present the image unchanged, so
 * an attack that happens to help the model does not count in its favour. NaN throws a RangeError.
 */
export function worstCase(outcomes: readonly Outcome[]): Sample[] {
  checkOutcomes(outcomes);
  return outcomes.map(({ cleanScore, adversarialScore, live, species }) => ({
    score: (live ? Math.min : Math.max)(cleanScore, adversarialScore),
    live,
    species,
  }));
}

/** As in a clean summary, over {@link worstCase} scores. */
export interface RobustSummary {
  readonly threshold: number;
  readonly accuracy: number | null;
  /** Of the worst species. */
  readonly apcer: number | null;
  readonly apcerBySpecies: Readonly<Record<string, SpeciesApcer>>;
  readonly bpcer: number | null;
  /** Legacy. */
  readonly acer: number | null;
  readonly auc: number | null;
}

/**
 * Robust rates at the frozen threshold. Compare models by `auc`, or at a threshold calibrated on each model's own
 * clean split: raw robust accuracy rewards a model that merely says "live" more often.
 */
export function robustSummary(outcomes: readonly Outcome[], threshold: number): RobustSummary {
  const samples = worstCase(outcomes);
  return {
    threshold,
    accuracy: accuracy(samples, threshold),
    apcer: apcer(samples, threshold),
    apcerBySpecies: apcerBySpecies(samples, threshold),
    bpcer: bpcer(samples, threshold),
    acer: acer(samples, threshold),
    auc: auc(samples),
  };
}

/**
 * Error rates at a given threshold (ISO/IEC 30107-3). The threshold is always the caller's: it is frozen on a dev
 * split, and no function here can pick one from the samples that it judges. All rates are fractions in [0,1], and
 * null where the class that they speak about has no samples. A NaN score or threshold throws a RangeError.
 */
import { attacksBySpecies, checkScores, checkThreshold, decidesLive, share, type Sample } from './sample.js';

export interface SpeciesApcer {
  /** Attack presentations of this species. */
  readonly samples: number;
  readonly apcer: number;
}

/** Attack presentation classification error rate of each PAI species, by name and in the order of names. */
export function apcerBySpecies(samples: readonly Sample[], threshold: number): Record<string, SpeciesApcer> {
  checkScores(samples);
  checkThreshold(threshold);
  return Object.fromEntries(
    attacksBySpecies(samples).map(([species, attacks]) => {
      const accepted = attacks.filter((s) => decidesLive(s.score, threshold)).length;
      return [species, { samples: attacks.length, apcer: accepted / attacks.length }];
    }),
  );
}

/**
 * APCER of the worst species, as the standard demands: a rate pooled over species hides the one that gets in.
 * A species with few attacks can set it by chance; {@link apcerBySpecies} has the counts.
 */
export function apcer(samples: readonly Sample[], threshold: number): number | null {
  const rates = Object.values(apcerBySpecies(samples, threshold)).map((s) => s.apcer);
  return rates.length === 0 ? null : Math.max(...rates);
}

/** Bona fide presentation classification error rate: the share of live samples taken for attacks. */
export function bpcer(samples: readonly Sample[], threshold: number): number | null {
  checkScores(samples);
  checkThreshold(threshold);
  const live = samples.filter((s) => s.live);
  return share(live.filter((s) => !decidesLive(s.score, threshold)).length, live.length);
}

/** (APCER of the worst species + BPCER) / 2. Legacy: the standard no longer has it; older papers report it. */
export function acer(samples: readonly Sample[], threshold: number): number | null {
  return mean(apcer(samples, threshold), bpcer(samples, threshold));
}

/** Half total error rate: (false acceptance rate of all attacks pooled + BPCER) / 2. */
export function hter(samples: readonly Sample[], threshold: number): number | null {
  checkScores(samples);
  checkThreshold(threshold);
  const attacks = samples.filter((s) => !s.live);
  const accepted = attacks.filter((s) => decidesLive(s.score, threshold)).length;
  return mean(share(accepted, attacks.length), bpcer(samples, threshold));
}

/** Share of samples decided rightly; it moves with the mix of classes. Null without samples. */
export function accuracy(samples: readonly Sample[], threshold: number): number | null {
  checkScores(samples);
  checkThreshold(threshold);
  const right = samples.filter((s) => decidesLive(s.score, threshold) === s.live).length;
  return share(right, samples.length);
}

const mean = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : (a + b) / 2;

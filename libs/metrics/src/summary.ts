/** Everything that a report says about a model on unattacked samples, in one plain object without NaN. */
import { accuracy, acer, apcer, apcerBySpecies, bpcer, hter, type SpeciesApcer } from './rates.js';
import { auc, bpcerAt, eer, tprAtFpr } from './ranking.js';
import type { Sample } from './sample.js';

/** The false positive rates at which CelebA-Spoof reports the true positive rate. */
const CELEBA_SPOOF_FPRS = [1e-2, 5e-3, 1e-3];

/**
 * Rates are fractions in [0,1], per sample (frame level where samples are frames); null where a class that they
 * need has no samples. Those up to `hter` hold at `threshold`; the rest follow from the order of the scores, at
 * operating points of these samples' own.
 */
export interface CleanSummary {
  readonly samples: number;
  readonly live: number;
  readonly spoof: number;
  readonly threshold: number;
  readonly accuracy: number | null;
  /** Of the worst species. */
  readonly apcer: number | null;
  readonly apcerBySpecies: Readonly<Record<string, SpeciesApcer>>;
  readonly bpcer: number | null;
  /** Legacy. */
  readonly acer: number | null;
  /** Attacks pooled. */
  readonly hter: number | null;
  readonly eer: number | null;
  readonly auc: number | null;
  readonly bpcer10: number | null;
  readonly bpcer20: number | null;
  readonly bpcer100: number | null;
  /** By false positive rate, "0.01", "0.005" and "0.001"; positive means spoof. */
  readonly tprAtFpr: Readonly<Record<string, number | null>>;
}

/** Judges `samples` at a threshold that was frozen elsewhere, on the dev split. NaN throws a RangeError. */
export function cleanSummary(samples: readonly Sample[], threshold: number): CleanSummary {
  const live = samples.filter((s) => s.live).length;
  return {
    samples: samples.length,
    live,
    spoof: samples.length - live,
    threshold,
    accuracy: accuracy(samples, threshold),
    apcer: apcer(samples, threshold),
    apcerBySpecies: apcerBySpecies(samples, threshold),
    bpcer: bpcer(samples, threshold),
    acer: acer(samples, threshold),
    hter: hter(samples, threshold),
    eer: eer(samples),
    auc: auc(samples),
    bpcer10: bpcerAt(samples, 0.1),
    bpcer20: bpcerAt(samples, 0.05),
    bpcer100: bpcerAt(samples, 0.01),
    tprAtFpr: Object.fromEntries(CELEBA_SPOOF_FPRS.map((fpr) => [String(fpr), tprAtFpr(samples, fpr)])),
  };
}

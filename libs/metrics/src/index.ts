// PAD and robustness metrics (ISO/IEC 30107-3); pure functions.
export { decidesLive, UNNAMED_SPECIES, type Sample } from './sample.js';
export { accuracy, acer, apcer, apcerBySpecies, bpcer, hter, type SpeciesApcer } from './rates.js';
export { auc, bpcerAt, eer, eerThreshold, tprAtFpr } from './ranking.js';
export { cleanSummary, type CleanSummary } from './summary.js';
export {
  attackSuccess,
  successAmong,
  successOf,
  robustSummary,
  worstCase,
  type AttackSuccess,
  type Outcome,
  type RobustSummary,
  type Success,
} from './robustness.js';
export { areaUnderSuccess, medianMinimalEpsilon, type SuccessPoint } from './epsilon.js';
export {
  bootstrap,
  DRAWS,
  weightedAuc,
  weightedMedian,
  weightedRate,
  type Statistic,
  type SuccessBits,
  type Weights,
} from './bootstrap.js';
export { percentileInterval, wilsonInterval, type Interval } from './intervals.js';
export { l2, linf, psnr } from './distances.js';
export { ssim, type ImageShape } from './ssim.js';
export { meanInterval } from './student.js';

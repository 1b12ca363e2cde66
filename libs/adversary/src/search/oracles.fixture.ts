/** Models that can be written down: their scores and gradients are exact, so a search has nothing else to blame. */
import type { Norm, SearchConfig } from '@facet/contracts';
import { Random } from '@facet/random';
import { decidedWrongly } from '../decision.js';
import type { AttackBatch, GradientOracle, ScoreOracle, SignStep, StepOracle } from '../ports.js';
import { budgetOf } from '../threat/budget.js';
import { dequantise } from '../threat/quantise.js';
import { searchOf } from './presets.js';
import type { Attacked, SearchContext } from './search.js';

export const HEIGHT = 8;
export const WIDTH = 6;
export const SIZE = 3 * HEIGHT * WIDTH;

export type Oracle = SearchContext['oracle'];

const dot = (
  weights: ArrayLike<number>,
  pixels: Float32Array,
  from: number,
  bend: (p: number) => number,
): number => {
  let sum = 0;
  for (let j = 0; j < SIZE; j++) sum += weights[j] * bend(pixels[from + j] - 0.5);
  return sum;
};

/**
 * score = scale sum_j w_j bend(p_j - 1/2), whose derivative in p_j is scale w_j slope(p_j - 1/2). The objective is
 * `of` the margin, the score towards the wrong side; `ofSlope` is its derivative.
 */
export class BentOracle implements GradientOracle {
  readonly weights = Float64Array.from({ length: SIZE }, (_, i) => Math.cos(3 * i));
  /** Samples that gradients and scores were asked of. */
  readonly asked = { gradients: 0, scores: 0 };

  constructor(
    private readonly bend = (x: number): number => Math.tanh(3 * x),
    private readonly slope = (x: number): number => 3 * (1 - Math.tanh(3 * x) ** 2),
    private readonly of = (margin: number): number => margin,
    private readonly ofSlope = (_margin: number): number => 1,
  ) {}

  gradient(batch: AttackBatch) {
    this.asked.gradients += batch.n;
    const { n, pixels } = batch;
    const [value, gradient, scores] = [new Float32Array(n), new Float32Array(n * SIZE), new Float64Array(n)];
    for (let i = 0; i < n; i++) {
      const sign = batch.labels[i] === 0 ? -1 : 1;
      scores[i] = dot(this.weights, pixels, i * SIZE, this.bend);
      value[i] = this.of(sign * scores[i]);
      const through = sign * this.ofSlope(sign * scores[i]);
      for (let j = 0; j < SIZE; j++)
        gradient[i * SIZE + j] = through * this.weights[j] * this.slope(pixels[i * SIZE + j] - 0.5);
    }
    return Promise.resolve({ value, gradient, scores });
  }

  scores(pixels: Float32Array, n: number) {
    this.asked.scores += n;
    return Promise.resolve(
      Float64Array.from({ length: n }, (_, i) => dot(this.weights, pixels, i * SIZE, this.bend)),
    );
  }
}

/** The same model, by a backend that takes steps itself and gives no gradient away. */
export class SteppingOracle implements StepOracle {
  private readonly bent = new BentOracle();

  async step(batch: AttackBatch, { length, low, high, next }: SignStep) {
    const { gradient, scores } = await this.bent.gradient(batch);
    for (let i = 0; i < gradient.length; i++) {
      const moved = Math.fround(batch.pixels[i] + Math.fround(length) * Math.sign(gradient[i]));
      next[i] = Math.min(high[i], Math.max(low[i], moved));
    }
    return scores;
  }

  scores(pixels: Float32Array, n: number) {
    return this.bent.scores(pixels, n);
  }
}

/** The cross-entropy of the same decision. */
export const crossEntropyOracle = (): BentOracle =>
  new BentOracle(
    undefined,
    undefined,
    (margin) => Math.log1p(Math.exp(margin)),
    (margin) => 1 / (1 + Math.exp(-margin)),
  );

/** A decision that only says which side: what a search by decisions is for. */
export function withoutGradient(oracle: ScoreOracle, hard = false): Oracle {
  return {
    scores: async (pixels, n) => {
      const scores = await oracle.scores(pixels, n);
      return hard ? scores.map((score) => (score >= 0 ? 1 : -1)) : scores;
    },
  };
}

export const images = (n: number): Uint8Array => {
  const random = new Random(1, 'images');
  return Uint8Array.from({ length: n * SIZE }, () => 90 + Math.floor(76 * random.uniform()));
};

export const fooled = (score: number, label: number): boolean => decidedWrongly(score, label, 0);
/** Labels of one side, 0 live or 1 spoof, with a threshold at which no image is ever decided wrongly. */
export const unbeatable = (n: number, label: 0 | 1 = 0) => ({
  labels: new Uint8Array(n).fill(label),
  changes: { threshold: label === 0 ? -Infinity : Infinity },
});

export interface Given {
  readonly oracle?: Oracle;
  readonly norm?: Norm;
  readonly epsilon?: number;
  readonly clean: Uint8Array;
  /** The place of the first image in the whole set, which its key tells. */
  readonly from?: number;
  readonly labels?: Uint8Array;
  readonly changes?: Partial<SearchContext>;
}

/** Runs a search; unless labels are given, every image is decided rightly at first. */
export async function run(config: SearchConfig, given: Given): Promise<Attacked & { labels: Uint8Array }> {
  const { oracle = new BentOracle(), norm = 'linf', epsilon = 6 / 255, clean, from = 0 } = given;
  const n = clean.length / SIZE;
  const pixels = dequantise(clean);
  const cleanScores = await new BentOracle().scores(pixels, n);
  const labels = given.labels ?? Uint8Array.from(cleanScores, (score) => (score >= 0 ? 0 : 1));
  const attacked = await searchOf(config)({ n, pixels, labels, targets: new Map() }, clean, {
    oracle,
    budget: budgetOf({ norm, epsilon }),
    seed: 7,
    keys: Array.from({ length: n }, (_, i) => `sample-${from + i}`),
    cleanScores,
    threshold: 0,
    height: HEIGHT,
    width: WIDTH,
    ...given.changes,
  });
  return { ...attacked, labels };
}

export const successes = ({ scores, labels }: { scores: Float64Array; labels: Uint8Array }): number =>
  labels.filter((label, i) => fooled(scores[i], label)).length;

/**
 * HopSkipJump (Chen, Jordan and Wainwright, IEEE S&P 2020): walks along the decision boundary towards the clean image,
 * knowing of each query only on which side it was decided. It begins at a donor, an image of the shard that is
 * decided the other way, or at noise; its queries leave the budget, and the image that it ends with does not.
 *
 * One sample at a time: how many queries an estimate takes depends on the sample's own way.
 */
import type { Norm } from '@facet/contracts';
import { Random } from '@facet/random';
import { budgetOf, largestChange } from '../threat/budget.js';
import { dequantise } from '../threat/quantise.js';
import type { Attack } from './attack.js';
import type { Stage } from './search.js';

/** Queries of the first gradient estimate; the t-th takes the root of t times as many. */
const FIRST_ESTIMATE = 100;
/** Images of noise that are tried where there is no donor. */
const NOISE_TRIES = 50;
/** Queries in one forward pass. */
const BATCH = 32;
/** Bisections end at this share of the distance; float32 decisions mean nothing much below it. */
const PRECISION = 1e-3;

const euclidean = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
};

class Walk {
  #left: number;
  readonly #clean: Float32Array;
  readonly #norm: Norm;

  constructor(
    private readonly attack: Attack,
    private readonly index: number,
    private readonly random: Random,
    queries: number,
  ) {
    this.#left = queries;
    this.#clean = attack.cleanPixels(index);
    this.#norm = attack.context.budget.threat.norm;
  }

  async run(): Promise<void> {
    let at = await this.#start();
    for (let t = 1; at !== undefined && this.#left > 0; t++) {
      at = await this.#toBoundary(at);
      await this.#offer(at);
      if (!this.attack.open.includes(this.index)) return;
      at = await this.#jump(at, t);
    }
  }

  /** On which side points are decided; undefined where there are not as many queries left. */
  async #fooled(points: readonly Float32Array[]): Promise<boolean[] | undefined> {
    if (points.length > this.#left) {
      this.#left = 0;
      return undefined;
    }
    this.#left -= points.length;
    const { size } = this.attack;
    const pixels = new Float32Array(points.length * size);
    points.forEach((point, i) => pixels.set(point, i * size));
    const scores = await this.attack.score(pixels, points.length);
    return Array.from(scores, (score) => this.attack.fooledBy(score, this.index));
  }

  /** The nearest donor that is decided wrongly, or noise; undefined where neither is found. */
  async #start(): Promise<Float32Array | undefined> {
    const { context, batch } = this.attack;
    const donors = context.donors?.[batch.labels[this.index] === 0 ? 'spoof' : 'live'] ?? [];
    const points = donors
      .map((image) => dequantise(image))
      .sort((a, b) => euclidean(a, this.#clean) - euclidean(b, this.#clean));
    for (let i = 0; i < points.length + NOISE_TRIES; i++) {
      const point = points.at(i) ?? this.#clean.map(() => this.random.uniform());
      const [fooled] = (await this.#fooled([point])) ?? [false];
      if (fooled) return point;
    }
    return undefined;
  }

  #distance(point: Float32Array): number {
    return this.#norm === 'linf' ? largestChange(point, this.#clean) : euclidean(point, this.#clean);
  }

  /** The point on the way to the clean image that is `share` of `at`'s distance away from it. */
  #towards(at: Float32Array, share: number): Float32Array {
    const clean = this.#clean;
    if (this.#norm === 'l2') return at.map((value, i) => clean[i] + share * (value - clean[i]));
    const reach = share * this.#distance(at);
    return at.map((value, i) => Math.min(clean[i] + reach, Math.max(clean[i] - reach, value)));
  }

  async #toBoundary(at: Float32Array): Promise<Float32Array> {
    let [low, high] = [0, 1];
    while (high - low > PRECISION) {
      const middle = (low + high) / 2;
      const decided = await this.#fooled([this.#towards(at, middle)]);
      if (decided === undefined) break;
      if (decided[0]) high = middle;
      else low = middle;
    }
    return this.#towards(at, high);
  }

  /** Judges the point that lies where the way from the clean image through `at` leaves the budget. */
  async #offer(at: Float32Array): Promise<void> {
    const clean = this.#clean;
    const { threat } = this.attack.context.budget;
    const epsilon = threat.epsilon * (threat.norm === 'l2' ? Math.sqrt(clean.length) : 1);
    const scale = epsilon / Math.max(this.#distance(at), 1e-12);
    const point = at.map((value, i) => clean[i] + scale * (value - clean[i]));
    budgetOf(threat).project(point, clean);
    this.#left--;
    await this.attack.judge([{ index: this.index, image: this.attack.stored(this.index, point) }]);
  }

  /** A step along the estimated gradient that stays on the wrong side; undefined where the queries are used up. */
  async #jump(at: Float32Array, t: number): Promise<Float32Array | undefined> {
    const distance = this.#distance(at);
    const d = at.length;
    // Wider than the paper's 1/d of the distance, which a float32 decision does not see.
    const width = this.#norm === 'l2' ? distance / Math.sqrt(d) : distance;
    const estimate = await this.#estimate(
      at,
      width / Math.sqrt(d),
      Math.round(FIRST_ESTIMATE * Math.sqrt(t)),
    );
    if (estimate === undefined) return undefined;
    const length = Math.sqrt(estimate.reduce((sum, value) => sum + value * value, 0)) + 1e-12;
    const direction = estimate.map((value) => (this.#norm === 'linf' ? Math.sign(value) : value / length));
    for (let size = distance / Math.sqrt(t); size > PRECISION * distance; size /= 2) {
      const point = at.map((value, i) => Math.min(1, Math.max(0, value + size * direction[i])));
      const decided = await this.#fooled([point]);
      if (decided === undefined) return undefined;
      if (decided[0]) return point;
    }
    return at;
  }

  /**
   * Sum over random directions, each weighted by the side that a step of `width` per value along it is decided on, less
   * the mean side. Directions are not kept: the two sums that this takes are added up on the way.
   */
  async #estimate(at: Float32Array, width: number, count: number): Promise<Float32Array | undefined> {
    const weighted = new Float32Array(at.length);
    const plain = new Float32Array(at.length);
    let total = 0;
    for (let done = 0; done < count; done += BATCH) {
      const part = Math.min(BATCH, count - done);
      const directions = Array.from({ length: part }, () => at.map(() => this.random.normal()));
      const points = directions.map((direction) =>
        at.map((value, i) => Math.min(1, Math.max(0, value + width * direction[i]))),
      );
      const decided = await this.#fooled(points);
      if (decided === undefined) return undefined;
      directions.forEach((direction, k) => {
        const side = decided[k] ? 1 : -1;
        total += side;
        for (let i = 0; i < direction.length; i++) {
          weighted[i] += side * direction[i];
          plain[i] += direction[i];
        }
      });
    }
    // All on one side: their plain mean says where that side lies.
    const mean = Math.abs(total) === count ? 0 : total / count;
    return weighted.map((value, i) => value - mean * plain[i]);
  }
}

export const hopSkipJump =
  (queries: number): Stage =>
  async (attack, stage) => {
    const { seed, keys } = attack.context;
    for (const index of [...attack.open])
      await new Walk(attack, index, new Random(seed, keys[index], 'hop', stage), queries).run();
  };

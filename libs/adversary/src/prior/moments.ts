/**
 * Mean and covariance of feature vectors, streamed: constant memory, and partial results merge to the same
 * moments (Chan, Golub and LeVeque, 1979). All in float64.
 */

/** Moments as plain data, to cross threads. */
export interface MomentsData {
  readonly count: number;
  readonly mean: Float64Array;
  /** Sum of outer products of deviations, [dimensions, dimensions]; the lower triangle is kept. */
  readonly scatter: Float64Array;
}

export class Moments {
  count: number;
  readonly mean: Float64Array;
  readonly #scatter: Float64Array;

  constructor(
    readonly dimensions: number,
    data?: MomentsData,
  ) {
    this.count = data?.count ?? 0;
    this.mean = data?.mean ?? new Float64Array(dimensions);
    this.#scatter = data?.scatter ?? new Float64Array(dimensions * dimensions);
  }

  /** Goes on with `data`, whose arrays are its own from now on. */
  static of(data: MomentsData): Moments {
    return new Moments(data.mean.length, data);
  }

  get data(): MomentsData {
    return { count: this.count, mean: this.mean, scatter: this.#scatter };
  }

  /** The moments of all `parts` together. Errors: RangeError without any. */
  static merged(parts: readonly MomentsData[]): Moments {
    if (parts.length === 0) throw new RangeError('there are no moments to merge');
    const whole = new Moments(parts[0].mean.length);
    for (const part of parts) whole.merge(Moments.of(part));
    return whole;
  }

  /** Adds one feature vector [dimensions]. */
  add(feature: ArrayLike<number>): void {
    const d = this.dimensions;
    const before = new Float64Array(d);
    this.count++;
    for (let i = 0; i < d; i++) {
      before[i] = feature[i] - this.mean[i];
      this.mean[i] += before[i] / this.count;
    }
    for (let i = 0; i < d; i++) {
      const after = feature[i] - this.mean[i];
      for (let j = 0; j <= i; j++) this.#scatter[i * d + j] += after * before[j];
    }
  }

  /** Takes in the samples of `other`. */
  merge(other: Moments): void {
    if (other.count === 0) return;
    const d = this.dimensions;
    const total = this.count + other.count;
    const weight = (this.count * other.count) / total;
    const delta = Float64Array.from(this.mean, (mean, i) => other.mean[i] - mean);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        this.#scatter[i * d + j] += other.#scatter[i * d + j] + delta[i] * delta[j] * weight;
      }
    }
    for (let i = 0; i < d; i++) this.mean[i] += (delta[i] * other.count) / total;
    this.count = total;
  }

  /** Population covariance [dimensions, dimensions], row-major and symmetric; zero without samples. */
  covariance(): Float64Array {
    const d = this.dimensions;
    const out = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        const value = this.count === 0 ? 0 : this.#scatter[i * d + j] / this.count;
        out[i * d + j] = value;
        out[j * d + i] = value;
      }
    }
    return out;
  }
}

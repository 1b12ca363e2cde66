/** How well a linear function reads classes off a feature: what a reader must know beside every result. */

/** Mean over the classes that occur of the share of their samples that was recognised. One sample at a time. */
export class BalancedAccuracy {
  readonly #seen = new Map<number, number>();
  readonly #right = new Map<number, number>();

  /** Counts a sample of class `truth` that was taken for `predicted`; a negative class is unknown and not counted. */
  add(truth: number, predicted: number): void {
    if (truth < 0) return;
    this.#seen.set(truth, (this.#seen.get(truth) ?? 0) + 1);
    if (truth === predicted) this.#right.set(truth, (this.#right.get(truth) ?? 0) + 1);
  }

  /** null where fewer than two classes were seen: there was nothing to tell apart. */
  get value(): number | null {
    if (this.#seen.size < 2) return null;
    let sum = 0;
    for (const [label, seen] of this.#seen) sum += (this.#right.get(label) ?? 0) / seen;
    return sum / this.#seen.size;
  }
}

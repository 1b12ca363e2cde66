/**
 * Auto-PGD (Croce and Hein, ICML 2020): a step of 2 epsilon that is halved at checkpoints where the objective has
 * stopped rising, each time from the best point so far, with a momentum of a quarter. No parameters but the number of
 * steps, and of the objective it needs only the order of its values.
 */
import { Random } from '@facet/random';
import type { Budget } from '../threat/budget.js';
import { climb } from './climb.js';
import { type Mover, movers } from './movers.js';
import type { Stage } from './search.js';

/** Share of the new step; the rest is the last change. */
const ALPHA = 0.75;
/** Steps of a period that must have raised the objective. */
const RHO = 0.75;
/** Lengths of the periods between reviews, in hundredths of all steps: whole numbers, so that sums are exact. */
const [FIRST_PERIOD, SHORTER_BY, SHORTEST_PERIOD] = [22, 3, 6];

/** Steps at which the step length is reviewed. */
export function checkpoints(steps: number): number[] {
  const found: number[] = [];
  let [at, period] = [FIRST_PERIOD, FIRST_PERIOD];
  while (at <= 100) {
    const step = Math.ceil((at * steps) / 100);
    if (step !== found.at(-1)) found.push(step);
    period = Math.max(period - SHORTER_BY, SHORTEST_PERIOD);
    at += period;
  }
  return found;
}

class AutoDescent implements Mover {
  readonly at: Float32Array;
  /** Where it stood before the last step, and before the step that is taken. */
  #before: Float32Array;
  #last: Float32Array;
  readonly #best: Float32Array;
  readonly #bestGradient: Float32Array;
  #bestValue = -Infinity;
  #lastValue = Infinity;
  #length: number;
  #rises = 0;
  #period: { readonly since: number; readonly length: number; readonly bestValue: number };

  constructor(
    private readonly budget: Budget,
    private readonly clean: Float32Array,
    private readonly reviews: ReadonlySet<number>,
    random: Random,
  ) {
    this.at = new Float32Array(clean.length);
    budget.start(clean, this.at, random);
    this.#before = Float32Array.from(this.at);
    this.#last = new Float32Array(clean.length);
    this.#best = Float32Array.from(this.at);
    this.#bestGradient = new Float32Array(clean.length);
    this.#length = 2 * budget.threat.epsilon;
    this.#period = { since: 0, length: this.#length, bestValue: -Infinity };
  }

  move(value: number, gradient: Float32Array, step: number): void {
    if (value > this.#lastValue) this.#rises++;
    this.#lastValue = value;
    if (value > this.#bestValue) {
      this.#bestValue = value;
      this.#best.set(this.at);
      this.#bestGradient.set(gradient);
    }
    const back = this.reviews.has(step) && this.#review(step);
    if (back) this.at.set(this.#best);
    this.#step(back ? this.#bestGradient : gradient, step === 0 ? 1 : ALPHA);
  }

  /** Halves the step where the period did not pay; true if it did halve. */
  #review(step: number): boolean {
    const { since, length, bestValue } = this.#period;
    const fewRises = this.#rises < RHO * (step - since);
    const stuck = length === this.#length && bestValue === this.#bestValue;
    // What the period had to improve on, before this review halves anything.
    this.#period = { since: step, length: this.#length, bestValue: this.#bestValue };
    this.#rises = 0;
    if (fewRises || stuck) this.#length /= 2;
    return fewRises || stuck;
  }

  #step(gradient: Float32Array, alpha: number): void {
    const { at, budget, clean } = this;
    const [before, last] = [this.#before, this.#last];
    last.set(at);
    budget.step(at, gradient, this.#length);
    budget.project(at, clean);
    if (alpha < 1) {
      for (let i = 0; i < at.length; i++)
        at[i] = last[i] + alpha * (at[i] - last[i]) + (1 - alpha) * (last[i] - before[i]);
      budget.project(at, clean);
    }
    [this.#before, this.#last] = [last, before];
  }

  ends(): readonly Float32Array[] {
    return [this.at, this.#best];
  }
}

export const apgd =
  (steps: number): Stage =>
  (attack, stage) => {
    const { budget, seed, keys } = attack.context;
    const reviews = new Set(checkpoints(steps));
    const moverOf = (index: number): Mover =>
      new AutoDescent(
        budget,
        attack.cleanPixels(index),
        reviews,
        new Random(seed, keys[index], 'apgd', stage),
      );
    return climb(attack, { steps, walk: movers(attack, moverOf), hinted: true });
  };

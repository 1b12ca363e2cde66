/**
 * The steps of FGSM, BIM, PGD, MI-FGSM and NI-FGSM: from the clean image or a random start, each along the gradient,
 * or along what momentum makes of it, and back into the budget.
 */
import type { StepSchedule } from '@facet/contracts';
import { Random } from '@facet/random';
import type { Budget } from '../threat/budget.js';
import type { Attack } from './attack.js';
import { climb, type Mover, ownGradient } from './climb.js';
import { diverse, type Diversity } from './diversity.js';
import { shareOf } from './schedule.js';
import type { Stage } from './search.js';

export interface Momentum {
  /** Share of the accumulated gradient that each step keeps. */
  readonly decay: number;
  /** Gradients are taken where the accumulated one would lead (Nesterov), not where the image stands. */
  readonly lookAhead: boolean;
}

export interface GradientDescentConfig {
  readonly steps: number;
  /** Length of the first step over epsilon. */
  readonly relativeStep: number;
  readonly schedule: StepSchedule;
  readonly randomStart: boolean;
  readonly momentum?: Momentum;
  readonly diversity?: Diversity;
}

class Descent implements Mover {
  readonly #pixels: Float32Array;
  readonly #accumulated: Float32Array | undefined;
  readonly #ahead: Float32Array | undefined;

  constructor(
    private readonly config: GradientDescentConfig,
    private readonly budget: Budget,
    private readonly clean: Float32Array,
    random: Random | undefined,
  ) {
    this.#pixels = Float32Array.from(clean);
    if (random !== undefined) budget.start(clean, this.#pixels, random);
    if (config.momentum !== undefined) this.#accumulated = new Float32Array(clean.length);
    if (config.momentum?.lookAhead) this.#ahead = Float32Array.from(this.#pixels);
  }

  get at(): Float32Array {
    return this.#ahead ?? this.#pixels;
  }

  move(_value: number, gradient: Float32Array, step: number): void {
    const length = this.#lengthAt(step);
    this.budget.step(this.#pixels, this.#direction(gradient), length);
    this.budget.project(this.#pixels, this.clean);
    if (this.#ahead === undefined || step + 1 === this.config.steps) return;
    const [reach, g] = [this.#lengthAt(step + 1) * this.config.momentum!.decay, this.#accumulated!];
    for (let i = 0; i < g.length; i++) this.#ahead[i] = this.#pixels[i] + reach * g[i];
  }

  ends(): readonly Float32Array[] {
    return [this.#pixels];
  }

  #lengthAt(step: number): number {
    const { relativeStep, schedule, steps } = this.config;
    return relativeStep * this.budget.threat.epsilon * shareOf(schedule, step, steps);
  }

  /** The gradient over its mean magnitude, added to what momentum kept; or the gradient itself. */
  #direction(gradient: Float32Array): Float32Array {
    const g = this.#accumulated;
    if (g === undefined) return gradient;
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += Math.abs(gradient[i]);
    const scale = gradient.length / (sum + 1e-30);
    const { decay } = this.config.momentum!;
    for (let i = 0; i < g.length; i++) g[i] = decay * g[i] + gradient[i] * scale;
    return g;
  }
}

export const gradientDescent =
  (config: GradientDescentConfig): Stage =>
  (attack: Attack, stage: number) => {
    const { budget, seed, keys } = attack.context;
    return climb(attack, {
      steps: config.steps,
      moverOf: (index) => {
        const random = config.randomStart ? new Random(seed, keys[index], stage) : undefined;
        return new Descent(config, budget, attack.cleanPixels(index), random);
      },
      slope: config.diversity === undefined ? ownGradient : diverse(config.diversity, stage),
      hinted: config.diversity === undefined && !config.momentum?.lookAhead,
    });
  };

/**
 * The steps of FGSM, BIM, PGD, MI-FGSM and NI-FGSM: from the clean image or a random start, each along the gradient,
 * or along what momentum makes of it, and back into the budget.
 */
import type { Norm, StepSchedule } from '@facet/contracts';
import { Random } from '@facet/random';
import type { Budget } from '../threat/budget.js';
import { abandonment } from './abandonment.js';
import type { Attack } from './attack.js';
import { climb } from './climb.js';
import { diverse, type Diversity } from './diversity.js';
import { type Mover, movers } from './movers.js';
import { shareOf } from './schedule.js';
import type { Stage } from './search.js';
import { signWalk } from './sign-walk.js';

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
  /** The share of {@link abandonment}; without it every sample goes to the end. */
  readonly abandon?: number;
}

function lengthAt(config: GradientDescentConfig, { threat }: Budget, step: number): number {
  const { relativeStep, schedule, steps } = config;
  return relativeStep * threat.epsilon * shareOf(schedule, step, steps);
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
    const length = lengthAt(this.config, this.budget, step);
    this.budget.step(this.#pixels, this.#direction(gradient), length);
    this.budget.project(this.#pixels, this.clean);
    if (this.#ahead === undefined || step + 1 === this.config.steps) return;
    const [reach, g] = [
      lengthAt(this.config, this.budget, step + 1) * this.config.momentum!.decay,
      this.#accumulated!,
    ];
    for (let i = 0; i < g.length; i++) this.#ahead[i] = this.#pixels[i] + reach * g[i];
  }

  ends(): readonly Float32Array[] {
    return [this.#pixels];
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

/** Whether of a gradient only its signs count, one step after the other. */
export const bySigns = ({ momentum, diversity }: GradientDescentConfig, norm: Norm): boolean =>
  norm === 'linf' && momentum === undefined && diversity === undefined;

export const gradientDescent =
  (config: GradientDescentConfig): Stage =>
  (attack: Attack, stage: number) => {
    const { budget, seed, keys, oracle } = attack.context;
    const { steps, diversity, momentum, abandon } = config;
    const length = (step: number): number => lengthAt(config, budget, step);
    const hopeless =
      abandon === undefined ? undefined : abandonment(attack, { steps, lengthAt: length }, abandon);
    const randomOf = (index: number): Random | undefined =>
      config.randomStart ? new Random(seed, keys[index], stage) : undefined;
    if (oracle.step !== undefined && bySigns(config, budget.threat.norm)) {
      const start = (index: number, out: Float32Array): void => {
        const random = randomOf(index);
        if (random !== undefined) budget.start(attack.cleanPixels(index), out, random);
      };
      return climb(attack, {
        steps,
        walk: signWalk(attack, length, start),
        hinted: true,
        hopeless,
      });
    }
    const moverOf = (index: number): Mover =>
      new Descent(config, budget, attack.cleanPixels(index), randomOf(index));
    return climb(attack, {
      steps,
      walk: movers(attack, moverOf, diversity && diverse(diversity, stage)),
      hinted: diversity === undefined && !momentum?.lookAhead,
      hopeless,
    });
  };

/**
 * The loop of every search that follows gradients: one pass for all samples that still stand, then each moves on by
 * itself. A sample whose score at a step says that it is fooled has its stored image judged, and leaves if that is
 * true, so later steps cost what is left.
 */
import type { ObjectiveGradient } from '../ports.js';
import type { Attack } from './attack.js';

/** One sample's way through the pixels. */
export interface Mover {
  /** Where the next gradient is taken. */
  readonly at: Float32Array;
  /** Goes on by the objective's value and gradient [3 x height x width] there. */
  move(value: number, gradient: Float32Array, step: number): void;
  /** Points inside the budget where it ends, the most promising first. */
  ends(): readonly Float32Array[];
}

/** The gradient that movers follow at their points: the objective's own, or one that a hook made of several. */
export type Slope = (
  attack: Attack,
  indices: readonly number[],
  points: readonly Float32Array[],
  step: number,
) => Promise<ObjectiveGradient>;

export interface Climb {
  readonly steps: number;
  readonly moverOf: (index: number) => Mover;
  readonly slope: Slope;
  /** Gradients are taken where the mover stands, so their scores are those of an image that can be stored. */
  readonly hinted: boolean;
}

export const ownGradient: Slope = (attack, indices, points) => attack.gradient(indices, points);

interface Walker {
  readonly index: number;
  readonly mover: Mover;
}

async function judge(
  attack: Attack,
  walkers: readonly Walker[],
  pointOf: (mover: Mover) => Float32Array | undefined,
): Promise<void> {
  const candidates = walkers.flatMap(({ index, mover }) => {
    const point = pointOf(mover);
    return point === undefined ? [] : [{ index, image: attack.stored(index, point) }];
  });
  await attack.judge(candidates);
}

export async function climb(attack: Attack, { steps, moverOf, slope, hinted }: Climb): Promise<void> {
  let walkers: readonly Walker[] = attack.open.map((index) => ({ index, mover: moverOf(index) }));
  const stillOpen = (): readonly Walker[] => {
    const open = new Set(attack.open);
    return walkers.filter(({ index }) => open.has(index));
  };
  for (let step = 0; step < steps && walkers.length > 0; step++) {
    const indices = walkers.map(({ index }) => index);
    const points = walkers.map(({ mover }) => mover.at);
    const { value, gradient, scores } = await slope(attack, indices, points, step);
    if (hinted) {
      const hints = walkers.filter(({ index }, i) => attack.ends(scores[i], index));
      if (hints.length > 0) await judge(attack, hints, ({ at }) => at);
    }
    const open = new Set(attack.open);
    walkers.forEach(({ index, mover }, i) => {
      if (!open.has(index)) return;
      mover.move(value[i], gradient.subarray(i * attack.size, (i + 1) * attack.size), step);
    });
    walkers = stillOpen();
  }
  for (let k = 0; walkers.some(({ mover }) => k < mover.ends().length); k++) {
    await judge(attack, walkers, (mover) => mover.ends().at(k));
    walkers = stillOpen();
  }
}

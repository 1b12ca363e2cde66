/** A walk of samples that each go their own way by their own gradient: what most searches are. */
import { giveBack } from '../memory.js';
import type { ObjectiveGradient } from '../ports.js';
import type { Attack } from './attack.js';
import type { Walk } from './climb.js';

/** One sample's way through the pixels. */
export interface Mover {
  /** Where the next gradient is taken. */
  readonly at: Float32Array;
  /** Goes on by the objective's value and gradient [3 x height x width] there, which is not its own to keep. */
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

export const ownGradient: Slope = (attack, indices, points) => attack.gradient(indices, points);

interface Walker {
  readonly index: number;
  readonly mover: Mover;
  seen?: { readonly value: number; readonly gradient: Float32Array };
}

export function movers(
  attack: Attack,
  moverOf: (index: number) => Mover,
  slope: Slope = ownGradient,
): (indices: readonly number[]) => Walk {
  return (indices) => {
    let walkers = indices.map((index): Walker => ({ index, mover: moverOf(index) }));
    let last: Float32Array | undefined;
    const forget = (): void => {
      if (last !== undefined) giveBack(last);
      last = undefined;
    };
    return {
      async look(step) {
        const points = walkers.map(({ mover }) => mover.at);
        const open = walkers.map(({ index }) => index);
        forget();
        const { value, gradient, scores } = await slope(attack, open, points, step);
        walkers.forEach((walker, i) => {
          const own = gradient.subarray(i * attack.size, (i + 1) * attack.size);
          walker.seen = { value: value[i], gradient: own };
        });
        last = gradient;
        return scores;
      },
      at: (row) => walkers[row].mover.at,
      keep: (rows) => (walkers = rows.map((row) => walkers[row])),
      move: (step) =>
        walkers.forEach(({ mover, seen }) => {
          mover.move(seen!.value, seen!.gradient, step);
        }),
      ends: (row) => walkers[row].mover.ends(),
      close: forget,
    };
  };
}

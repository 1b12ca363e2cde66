/**
 * A walk along signs in L-infinity whose steps the model's session takes itself: gradients never come out, and pixels go
 * back in where they came out. Each value is the one that {@link Budget.step} and {@link Budget.project} give.
 */
import { borrow, giveBack } from '../memory.js';
import { selectRows } from '../ports.js';
import { bounds } from '../threat/linf.js';
import type { Attack } from './attack.js';
import type { Walk } from './climb.js';

/** @param start brings a sample's clean pixels, which `out` holds, to where it begins */
export function signWalk(
  attack: Attack,
  lengthAt: (step: number) => number,
  start: (index: number, out: Float32Array) => void,
): (indices: readonly number[]) => Walk {
  const { size } = attack;
  const { epsilon } = attack.context.budget.threat;
  return (indices) => {
    const rooms = Array.from({ length: 4 }, () => borrow(indices.length * size));
    const [pixels, next, low, high] = rooms;
    indices.forEach((index, row) => pixels.set(attack.cleanPixels(index), row * size));
    let batch = selectRows(attack.batch, indices, pixels);
    bounds(pixels, epsilon, low, high);
    const rowOf = (data: Float32Array, row: number): Float32Array =>
      data.subarray(row * size, (row + 1) * size);
    indices.forEach((index, row) => {
      start(index, rowOf(pixels, row));
    });
    let [from, to]: Float32Array[] = [pixels, next];
    const standing = (data: Float32Array): Float32Array => data.subarray(0, batch.n * size);
    return {
      look: (step) =>
        attack.step(batch, {
          length: lengthAt(step),
          ...{ low: standing(low), high: standing(high), next: standing(to) },
        }),
      at: (row) => rowOf(from, row),
      keep(rows) {
        for (const data of rooms)
          rows.forEach((row, place) => {
            if (row !== place) data.copyWithin(place * size, row * size, (row + 1) * size);
          });
        batch = selectRows(batch, rows, from.subarray(0, rows.length * size));
      },
      move() {
        [from, to] = [to, from];
        batch = { ...batch, pixels: standing(from) };
      },
      ends: (row) => [rowOf(from, row)],
      close: () => rooms.forEach(giveBack),
    };
  };
}

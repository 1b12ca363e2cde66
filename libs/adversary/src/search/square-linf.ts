/** Squares for L-infinity: every value at one end of what the budget allows, so that images are whole levels. */
import type { Random } from '@facet/random';
import { reachOf } from '../threat/quantise.js';
import type { Attack } from './attack.js';
import type { Proposer } from './square.js';

export function squareLinf(attack: Attack, index: number, random: Random): Proposer {
  const { height, width, budget } = attack.context;
  const clean = attack.cleanBytes(index);
  const reach = reachOf(budget.threat.epsilon);
  const moved = (at: number, up: boolean): number =>
    up ? Math.min(255, clean[at] + reach) : Math.max(0, clean[at] - reach);
  const accepted = new Uint8Array(clean.length);
  const proposed = new Uint8Array(clean.length);
  return {
    /** Stripes down the image, each channel's own. */
    first() {
      for (let c = 0; c < 3; c++)
        for (let x = 0; x < width; x++) {
          const up = random.uniform() < 0.5;
          for (let y = 0; y < height; y++) {
            const at = (c * height + y) * width + x;
            proposed[at] = moved(at, up);
          }
        }
      return proposed;
    },
    propose(side) {
      proposed.set(accepted);
      const [top, left] = [random.integer(height - side + 1), random.integer(width - side + 1)];
      for (let c = 0; c < 3; c++) {
        const up = random.uniform() < 0.5;
        for (let y = top; y < top + side; y++)
          for (let x = left; x < left + side; x++) {
            const at = (c * height + y) * width + x;
            proposed[at] = moved(at, up);
          }
      }
      return proposed;
    },
    accept: () => accepted.set(proposed),
  };
}

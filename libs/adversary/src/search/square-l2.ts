/**
 * Squares for L2: bumps of fixed total length, of which one is moved onto another at each query, so that the budget is
 * always spent (Algorithm 3 of the paper).
 */
import type { Random } from '@facet/random';
import type { Attack } from './attack.js';
import type { Proposer } from './square.js';

/** No square is smaller: a bump needs a middle. */
const SMALLEST = 3;
const FLOOR = 1e-10;

/** A bump over `height` x `width` that falls off from its middle like a sum of inverse squares. */
function bump(height: number, width: number): Float64Array {
  const [middleY, middleX] = [Math.floor(height / 2), Math.floor(width / 2)];
  const reach = Math.max(middleY, middleX);
  const tail = Float64Array.from({ length: reach + 1 }, (_, distance) => {
    let sum = 0;
    for (let k = distance; k <= reach; k++) sum += 1 / (k + 1) ** 2;
    return sum;
  });
  const out = new Float64Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      out[y * width + x] = tail[Math.max(Math.abs(y - middleY), Math.abs(x - middleX))];
  return out;
}

/** Two bumps of opposite sign over one square of unit length, one above the other or side by side. */
function pattern(side: number, random: Random): Float64Array {
  const upper = Math.floor(side / 2);
  const [above, below] = [bump(upper, side), bump(side - upper, side)];
  const stacked = Float64Array.from({ length: side * side }, (_, i) =>
    i < upper * side ? above[i] : -below[i - upper * side],
  );
  const length = Math.sqrt(stacked.reduce((sum, value) => sum + value * value, 0));
  const sideways = random.uniform() < 0.5;
  return stacked.map((_, i) => stacked[sideways ? (i % side) * side + Math.floor(i / side) : i] / length);
}

const normOf = (values: ArrayLike<number>, at: Iterable<number>): number => {
  let sum = 0;
  for (const i of at) sum += values[i] ** 2;
  return Math.sqrt(sum);
};

export function squareL2(attack: Attack, index: number, random: Random): Proposer {
  const { height, width, budget } = attack.context;
  const clean = attack.cleanPixels(index);
  const epsilon = budget.threat.epsilon * Math.sqrt(clean.length);
  const area = height * width;
  let accepted: Float64Array = new Float64Array(clean.length);
  let proposed: Float64Array = accepted;

  const imageOf = (change: Float64Array): Uint8Array => {
    const pixels = Float32Array.from(clean, (value, i) => Math.min(1, Math.max(0, value + change[i])));
    return attack.stored(index, pixels);
  };
  /** Brings a change to the length of epsilon. */
  const spend = (change: Float64Array): Float64Array => {
    const length = normOf(change, change.keys());
    return change.map((value) => (value * epsilon) / (length + FLOOR));
  };
  /** The change as the image holds it: clipped to the pixel range. */
  const clipped = (change: Float64Array): Float64Array =>
    change.map((value, i) => Math.min(1, Math.max(0, clean[i] + value)) - clean[i]);

  function* cells(top: number, left: number, side: number, channel: number): Generator<number> {
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) yield channel * area + y * width + x;
  }
  const corner = (side: number): [number, number] => [
    random.integer(height - side + 1),
    random.integer(width - side + 1),
  ];

  return {
    /** A grid of five by five patterns. */
    first() {
      const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
      const change = new Float64Array(clean.length);
      for (let top = 0; top + side <= height; top += side)
        for (let left = 0; left + side <= width; left += side)
          for (let c = 0; c < 3; c++) {
            const [shape, sign] = [pattern(side, random), random.uniform() < 0.5 ? 1 : -1];
            let k = 0;
            for (const at of cells(top, left, side, c)) change[at] += sign * shape[k++];
          }
      proposed = spend(change);
      return imageOf(proposed);
    },
    propose(wanted) {
      const odd = Math.max(SMALLEST, wanted) | 1;
      const side = Math.min(odd, height, width);
      const [to, from] = [corner(side), corner(side)];
      const next = accepted.slice();
      const unspent = Math.max(0, epsilon ** 2 - normOf(accepted, accepted.keys()) ** 2) / 3;
      for (let c = 0; c < 3; c++) {
        const target = [...cells(...to, side, c)];
        const source = [...cells(...from, side, c)];
        const both = normOf(accepted, new Set([...target, ...source]));
        const own = normOf(accepted, target);
        const [shape, sign] = [pattern(side, random), random.uniform() < 0.5 ? 1 : -1];
        const fresh = target.map((at, k) => sign * shape[k] + accepted[at] / (own + FLOOR));
        const length = normOf(fresh, fresh.keys());
        const room = Math.sqrt(unspent + both ** 2);
        for (const at of source) next[at] = 0;
        target.forEach((at, k) => (next[at] = (fresh[k] * room) / (length + FLOOR)));
      }
      proposed = spend(next);
      return imageOf(proposed);
    },
    accept() {
      accepted = clipped(proposed);
    },
  };
}

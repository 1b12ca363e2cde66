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

/** Part of a plane. */
interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

function shared(a: Window, b: Window): Window {
  const [top, left] = [Math.max(a.top, b.top), Math.max(a.left, b.left)];
  const height = Math.min(a.top + a.height, b.top + b.height) - top;
  const width = Math.min(a.left + a.width, b.left + b.width) - left;
  return { top, left, height: Math.max(0, height), width: Math.max(0, width) };
}

const lengthOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
};

export function squareL2(attack: Attack, index: number, random: Random): Proposer {
  const { height, width, budget } = attack.context;
  const clean = attack.cleanPixels(index);
  const epsilon = budget.threat.epsilon * Math.sqrt(clean.length);
  let accepted: Float64Array = new Float64Array(clean.length);
  let proposed: Float64Array = accepted;

  const imageOf = (change: Float64Array): Uint8Array => {
    const pixels = Float32Array.from(clean, (value, i) => Math.min(1, Math.max(0, value + change[i])));
    return attack.stored(index, pixels);
  };
  /** Brings a change to the length of epsilon. */
  const spend = (change: Float64Array): Float64Array => {
    const length = lengthOf(change);
    return change.map((value) => (value * epsilon) / (length + FLOOR));
  };
  /** The change as the image holds it: clipped to the pixel range. */
  const clipped = (change: Float64Array): Float64Array =>
    change.map((value, i) => Math.min(1, Math.max(0, clean[i] + value)) - clean[i]);

  /** Calls `visit` with each place of a channel's window, row by row. */
  const each = (channel: number, window: Window, visit: (at: number, k: number) => void): void => {
    let k = 0;
    for (let y = window.top; y < window.top + window.height; y++)
      for (let x = window.left; x < window.left + window.width; x++)
        visit((channel * height + y) * width + x, k++);
  };
  const squared = (channel: number, window: Window): number => {
    let sum = 0;
    each(channel, window, (at) => (sum += accepted[at] * accepted[at]));
    return sum;
  };
  const somewhere = (side: number): Window => ({
    top: random.integer(height - side + 1),
    left: random.integer(width - side + 1),
    height: side,
    width: side,
  });
  const sign = (): number => (random.uniform() < 0.5 ? 1 : -1);

  return {
    /** A grid of five by five patterns. */
    first() {
      const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
      const change = new Float64Array(clean.length);
      for (let top = 0; top + side <= height; top += side)
        for (let left = 0; left + side <= width; left += side)
          for (let c = 0; c < 3; c++) {
            const [shape, way] = [pattern(side, random), sign()];
            each(c, { top, left, height: side, width: side }, (at, k) => (change[at] += way * shape[k]));
          }
      proposed = spend(change);
      return imageOf(proposed);
    },
    /** What two windows hold, and what the budget has left, goes into the first; the second is emptied. */
    propose(wanted) {
      const side = Math.min(Math.max(SMALLEST, wanted) | 1, height, width);
      const [to, from] = [somewhere(side), somewhere(side)];
      const next = accepted.slice();
      const unspent = Math.max(0, epsilon ** 2 - lengthOf(accepted) ** 2) / 3;
      for (let c = 0; c < 3; c++) {
        const own = squared(c, to);
        const both = own + squared(c, from) - squared(c, shared(to, from));
        const [fresh, way] = [pattern(side, random), sign()];
        each(c, to, (at, k) => (fresh[k] = way * fresh[k] + accepted[at] / (Math.sqrt(own) + FLOOR)));
        const scale = Math.sqrt(Math.max(0, unspent + both)) / (lengthOf(fresh) + FLOOR);
        each(c, from, (at) => (next[at] = 0));
        each(c, to, (at, k) => (next[at] = fresh[k] * scale));
      }
      proposed = spend(next);
      return imageOf(proposed);
    },
    accept() {
      accepted = clipped(proposed);
    },
  };
}

/**
 * The gradient of MaxPool with windows of 3x3 at stride 2, which ResNet, DenseNet and GoogLeNet begin with, on maps
 * in blocks. The maximum over a window is that over its columns and then over its rows. Along an axis a window holds
 * one element of its own and two that it shares with its neighbours, of the other parity; so everything happens on
 * four planes, one for each parity of row and column, at a quarter of the input's size.
 *
 * A window hands its gradient to the first of own, shared, other shared element that equals its maximum, rows before
 * columns: a tie gives its gradient once. The last takes what is left, so it needs no comparison, and as the only one
 * that may lie in the padding it then gets nothing.
 */
import type { GraphBuilder } from '../builder.js';
import { inBlocks, tap, zero } from './blocked.js';
import { whole } from './planes.js';
import type { RuleContext } from './rule.js';
import type { Sliding } from './sliding.js';

const KERNEL = 3;
const STRIDE = 2;

/** Maps of even size with padding only at the start, or none and a last window that reaches over the end. */
export const overlapsBy3Over2 = (c: RuleContext, s: Sliding): boolean =>
  s.sizes.length === 2 &&
  inBlocks(c.size(c.inputs[0], 1)) &&
  s.sizes.every(
    (size, i) =>
      s.kernel[i] === KERNEL &&
      s.strides[i] === STRIDE &&
      s.dilations[i] === 1 &&
      s.begin[i] <= 1 &&
      size === STRIDE * s.counts[i],
  );

/** One for the rows and one for the columns, or one for the even and one for the odd elements. */
type Pair<T> = readonly [T, T];

class Halves {
  constructor(
    private readonly b: GraphBuilder,
    private readonly channels: number,
    /** The parity of the elements that a window has for itself. */
    private readonly own: Pair<number>,
  ) {}

  /** Every second row and column of maps, times a factor; undefined takes an axis as it is. */
  every(maps: string, parities: readonly (number | undefined)[], factor: number): string {
    return tap(this.b, maps, this.channels, {
      kernel: parities.map((parity) => (parity ?? 0) + 1),
      at: parities.map((parity) => parity ?? 0),
      factor,
      strides: parities.map((parity) => (parity === undefined ? 1 : STRIDE)),
    });
  }

  /** maps times `factor`, moved by one window along an axis, onto the shared element that it reaches over to. */
  private moved(maps: string, axis: number, factor: number): string {
    const forward = this.own[axis] === 0;
    const kernel = [1, 1].with(axis, 2);
    const pads = [0, 0, 0, 0].with(forward ? axis + 2 : axis, 1);
    return tap(this.b, maps, this.channels, { kernel, at: [0, 0].with(axis, forward ? 1 : 0), factor, pads });
  }

  /**
   * The gradients of the even and of the odd elements along an axis.
   *
   * @param negative gives the elements of a parity, negated
   * @param maximum of each window along the axis
   */
  along(axis: number, negative: (parity: number) => string, maximum: string, gradient: string): Pair<string> {
    const { b } = this;
    const takes = (parity: number): string => zero(b, b.node('Add', [negative(parity), maximum]));
    const minus = (left: string, taken: string): string =>
      b.node('Add', [this.every(taken, [undefined, undefined], -1), left]);
    const own = b.node('Mul', [takes(this.own[axis]), gradient]);
    const left = minus(gradient, own);
    const near = b.node('Mul', [takes(1 - this.own[axis]), left]);
    // The rest, left - near, belongs one window further.
    const far = b.node('Add', [this.moved(left, axis, 1), near]);
    const shared = b.node('Add', [this.moved(near, axis, -1), far]);
    return this.own[axis] === 0 ? [own, shared] : [shared, own];
  }
}

export function overlappingPoolGradient(c: RuleContext, s: Sliding): string {
  const b = c.builder;
  const [x] = c.inputs;
  const channels = c.size(x, 1);
  const own: Pair<number> = [1 - s.begin[0], 1 - s.begin[1]];
  const halves = new Halves(b, channels, own);
  const acrossColumns = c.emit('MaxPool', [x], {
    kernel_shape: [1, KERNEL],
    strides: [1, STRIDE],
    pads: [0, s.begin[1], 0, 1 - s.begin[1]],
  });
  const rows = halves.along(
    0,
    (parity) => halves.every(acrossColumns, [parity, undefined], -1),
    c.output,
    c.gradient,
  );
  const parts = rows.map((gradient, row) =>
    halves.along(
      1,
      (parity) => halves.every(x, [row, parity], -1),
      halves.every(acrossColumns, [row, undefined], 1),
      gradient,
    ),
  );
  return whole(b, parts, channels, s.sizes);
}

/**
 * The gradient of MaxPool by comparison: an element receives the gradient of every window whose maximum it
 * equals, shared evenly among those that tie in the window. Recomputing the winner so is faster than indices and
 * a scatter, as long as the windows are small.
 */
import type { Rule, RuleContext } from './rule.js';
import { slidingOf, type Sliding } from './sliding.js';
import { addAll, combinations, equalMask, pad, product, range, repeat } from './tensors.js';

/** Stands where a window leaves the data; finite, and below everything that a maximum can be. */
const LOWEST = -3.4028234663852886e38;

/** Taps of a window up to which comparing each beats a scatter. */
const MOST_TAPS = 36;

/** Windows side by side: everything stays at the input's resolution. */
function sideBySide(c: RuleContext, s: Sliding): string {
  const b = c.builder;
  const none = [0, 0, ...s.kernel.map(() => 0)];
  const rest = s.sizes.map((size, i) => size - s.counts[i] * s.kernel[i]);
  // Elements behind the last window are cut off, and come back as zeros.
  const x = pad(b, c.inputs[0], none, [0, 0, ...rest.map((n) => -n)], LOWEST);
  const mask = equalMask(b, x, repeat(b, c.output, s.kernel));
  const share = b.node('AveragePool', [mask], { kernel_shape: s.kernel, strides: s.kernel });
  const ties = c.emit('Mul', [share, b.f32(product(s.kernel))]);
  const spread = repeat(b, c.emit('Div', [c.gradient, ties]), s.kernel);
  return pad(b, c.emit('Mul', [mask, spread]), none, [0, 0, ...rest]);
}

/**
 * Windows that overlap. Element j of an axis stands in plane j mod stride at place floor(j / stride); tap t of
 * window o is element o stride + t - pad, so within its plane a tap is a plain shift. Gradients are gathered plane
 * by plane and interleaved at the end.
 */
function overlapping(c: RuleContext, s: Sliding): string {
  const b = c.builder;
  const rank = s.kernel.length;
  const planeSizes = s.sizes.map((size, i) => Math.ceil(size / s.strides[i]));
  const planes = new Map<string, string>();
  const plane = (phase: readonly number[]): string => {
    if (s.strides.every((stride) => stride === 1)) return c.inputs[0];
    const known = planes.get(phase.join());
    if (known !== undefined) return known;
    const starts = b.i64([...phase]);
    const axes = b.i64(range(rank).map((i) => i + 2));
    const made = c.emit('Slice', [c.inputs[0], starts, b.i64(s.sizes), axes, b.i64(s.strides)]);
    planes.set(phase.join(), made);
    return made;
  };
  const taps = combinations(s.kernel.map((k) => range(k))).map((tap) => {
    const offsets = tap.map((t, i) => t * s.dilations[i] - s.begin[i]);
    const shift = offsets.map((offset, i) => Math.floor(offset / s.strides[i]));
    const phase = offsets.map((offset, i) => offset - shift[i] * s.strides[i]);
    const length = phase.map((p, i) => Math.ceil((s.sizes[i] - p) / s.strides[i]));
    const windows = pad(
      b,
      plane(phase),
      [0, 0, ...shift.map((q) => -q)],
      [0, 0, ...shift.map((q, i) => s.counts[i] + q - length[i])],
      LOWEST,
    );
    return { shift, phase, mask: equalMask(b, windows, c.output) };
  });
  const share = c.emit('Div', [
    c.gradient,
    addAll(
      b,
      taps.map((tap) => tap.mask),
    ),
  ]);
  const gathered = combinations(s.strides.map((stride) => range(stride))).map((phase) => {
    const parts = taps
      .filter((tap) => tap.phase.join() === phase.join())
      .map(({ mask, shift }) =>
        pad(
          b,
          c.emit('Mul', [mask, share]),
          [0, 0, ...shift],
          [0, 0, ...shift.map((q, i) => planeSizes[i] - s.counts[i] - q)],
        ),
      );
    return parts.length > 0 ? addAll(b, parts) : undefined;
  });
  const rest = planeSizes.map((size, i) => s.sizes[i] - size * s.strides[i]);
  return pad(
    b,
    interleave(c, gathered, planeSizes, s.strides),
    [0, 0, ...rest.map(() => 0)],
    [0, 0, ...rest],
  );
}

/** Planes in order of their phase, the last axis running fastest; an absent one is zero. */
function interleave(
  c: RuleContext,
  planes: readonly (string | undefined)[],
  sizes: readonly number[],
  strides: readonly number[],
): string {
  const b = c.builder;
  let current = planes;
  let done: number[] = [...sizes];
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const stride = strides[axis];
    if (stride === 1) continue;
    const dims = done.map((size, i) => (i === axis ? size * stride : size));
    const after = b.i64([axis + 3]);
    const joined: (string | undefined)[] = [];
    for (let at = 0; at < current.length; at += stride) {
      const group = current.slice(at, at + stride);
      const present = group.find((name) => name !== undefined);
      if (present === undefined) {
        joined.push(undefined);
        continue;
      }
      const zero = (): string => c.emit('Mul', [present, b.f32(0)]);
      const columns = group.map((name) => c.emit('Unsqueeze', [name ?? zero(), after]));
      const stacked = c.emit('Concat', columns, { axis: axis + 3 });
      joined.push(c.emit('Reshape', [stacked, b.i64([0, 0, ...dims])]));
    }
    [current, done] = [joined, dims];
  }
  return current[0] ?? c.refuse('its windows reach nothing');
}

/** Large windows: the runtime's own indices, and a scatter. Of a tie the first element gets all. */
function scattered(c: RuleContext): string {
  const b = c.builder;
  const [x] = c.inputs;
  const flat = b.i64([-1]);
  const [, indices] = b.nodes(
    'MaxPool',
    [x],
    c.node.attributes,
    ['maxpool', 'maxpool_indices'].map((hint) => b.fresh(hint)),
  );
  const zeros = c.emit('Mul', [c.emit('Reshape', [x, flat]), b.f32(0)]);
  const at = c.emit('Reshape', [indices, flat]);
  const sum = c.emit('ScatterElements', [zeros, at, c.emit('Reshape', [c.gradient, flat])], {
    axis: 0,
    reduction: 'add',
  });
  return c.emit('Reshape', [sum, c.emit('Shape', [x])]);
}

const maxPool: Rule = (c) => {
  const kernel = c.ints('kernel_shape') ?? c.refuse('it has no kernel_shape');
  const s = slidingOf(c, c.inputs[0], c.output, kernel);
  const plain = kernel.every(
    (k, i) => k === s.strides[i] && s.begin[i] === 0 && s.dilations[i] === 1 && s.counts[i] * k <= s.sizes[i],
  );
  if (plain) return [sideBySide(c, s)];
  return [product(kernel) <= MOST_TAPS ? overlapping(c, s) : scattered(c)];
};

export const MAX_POOL_RULES: Readonly<Record<string, Rule>> = { MaxPool: maxPool };

/** Gradients of operators that select, join or surround parts of a tensor. */
import { placed } from './placed.js';
import type { Rule, RuleContext } from './rule.js';
import { addAll, contract, pad, range, reshape } from './tensors.js';

/** Puts a part back to `start` along an axis of the input, zeros around it. */
function atStart(c: RuleContext, part: string, axis: number, start: number, length: number): string {
  const dims = c.dims(c.inputs[0]);
  const none = dims.map(() => 0);
  const size = c.size(c.inputs[0], axis);
  return placed(c.builder, part, dims, none.with(axis, start), none.with(axis, size - start - length));
}

/** The part of a tensor from `start` on along an axis. */
const part = (c: RuleContext, tensor: string, axis: number, start: number, length: number): string =>
  c.emit('Slice', [tensor, ...[[start], [start + length], [axis]].map((list) => c.builder.i64(list))]);

const concat: Rule = (c) => {
  const axis = c.axis('axis', 0, c.dims(c.output).length);
  let start = 0;
  return c.inputs.map((input, i) => {
    const length = c.size(input, axis);
    start += length;
    return c.wanted[i] ? part(c, c.gradient, axis, start - length, length) : undefined;
  });
};

const split: Rule = (c) => {
  const axis = c.axis('axis', 0, c.dims(c.inputs[0]).length);
  const all = c.gradients.flatMap((g) => g ?? []);
  if (all.length === c.gradients.length) return [c.emit('Concat', all, { axis })];
  let start = 0;
  const parts = c.gradients.flatMap((g, i) => {
    const length = c.size(c.node.outputs[i], axis);
    start += length;
    return g === undefined ? [] : [atStart(c, g, axis, start - length, length)];
  });
  return [addAll(c.builder, parts)];
};

/** Where a slice begins and how it walks, along one axis of length `size`, as the standard clamps it. */
function walk(size: number, start: number, step: number): number {
  const from = start < 0 ? start + size : start;
  return step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, 0), size - 1);
}

const slice: Rule = (c) => {
  const b = c.builder;
  const dims = c.dims(c.inputs[0]);
  const starts = c.integers(1) ?? c.refuse('it has no starts');
  const axes = (c.integers(3) ?? range(starts.length)).map((a) => (a < 0 ? a + dims.length : a));
  const steps = c.integers(4) ?? starts.map(() => 1);
  let gradient = c.gradient;
  const current = [...c.dims(c.output)];
  const begin = dims.map(() => 0);
  const end = dims.map(() => 0);
  axes.forEach((axis, i) => {
    const step = steps[i];
    if (typeof dims[axis] !== 'number' && step === 1 && starts[i] === 0) return; // the whole batch
    const size = c.size(c.inputs[0], axis);
    const length = c.size(c.output, axis);
    const stride = Math.abs(step);
    const from = walk(size, starts[i], step);
    if (step < 0) gradient = reversed(c, gradient, axis, length);
    begin[axis] = step < 0 ? from - (length - 1) * stride : from;
    if (stride > 1) {
      // m elements become m blocks of one element and stride - 1 zeros.
      const apart = [...current.slice(0, axis + 1), 1, ...current.slice(axis + 1)];
      const none = apart.map(() => 0);
      const blocks = pad(b, reshape(b, gradient, current, apart), none, none.with(axis + 1, stride - 1));
      const whole = current.with(axis, length * stride);
      gradient = reshape(b, blocks, apart.with(axis + 1, stride), whole);
      current[axis] = length * stride;
    }
    end[axis] = size - begin[axis] - length * stride;
  });
  return [placed(b, gradient, dims, begin, end)];
};

const reversed = (c: RuleContext, tensor: string, axis: number, length: number): string =>
  c.emit('Slice', [tensor, ...[[-1], [-length - 1], [axis], [-1]].map((list) => c.builder.i64(list))]);

/** The matrix that takes gradients of selected elements back: [position in the selection, index]. */
function selection(
  indices: readonly number[],
  size: number,
): { from: number; to: number; data: Float32Array } {
  const data = new Float32Array(indices.length * size);
  indices.forEach((index, position) => {
    data[position * size + index] = 1;
  });
  return { from: indices.length, to: size, data };
}

/** Indices that are known: a shift for a run, a permutation the other way round, else a product with 0 and 1. */
const gather: Rule = (c) => {
  const b = c.builder;
  const [data, index] = c.inputs;
  const dims = c.dims(data);
  const axis = c.axis('axis', 0, dims.length);
  const size = c.size(data, axis);
  const indices = (c.integers(1) ?? []).map((i) => (i < 0 ? i + size : i));
  const flat = [...dims.slice(0, axis), indices.length, ...dims.slice(axis + 1)];
  const gradient = c.dims(index).length === 1 ? c.gradient : reshape(b, c.gradient, c.dims(c.output), flat);
  if (indices.every((at, i) => at === indices[0] + i))
    return [atStart(c, gradient, axis, indices[0], indices.length)];
  if (indices.length === size && new Set(indices).size === size)
    return [c.emit('Gather', [gradient, b.i64(range(size).map((at) => indices.indexOf(at)))], { axis })];
  return [contract(b, gradient, dims.length, axis, selection(indices, size))];
};

/** Which element stands at each place of a padded axis. */
function padded(mode: string, size: number, begin: number, end: number): number[] {
  const wrap = (at: number, period: number): number => ((at % period) + period) % period;
  return range(begin + size + end).map((place) => {
    const at = place - begin;
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1);
    if (mode === 'wrap') return wrap(at, size);
    if (size === 1) return 0;
    const phase = wrap(at, 2 * size - 2);
    return phase < size ? phase : 2 * size - 2 - phase;
  });
}

const padRule: Rule = (c) => {
  const b = c.builder;
  const dims = c.dims(c.inputs[0]);
  const counts = c.integers(1) ?? c.refuse('it has no pads');
  const axes = (c.integers(3) ?? range(dims.length)).map((a) => (a < 0 ? a + dims.length : a));
  const begin = dims.map(() => 0);
  const end = dims.map(() => 0);
  axes.forEach((axis, i) => {
    [begin[axis], end[axis]] = [counts[i], counts[i + axes.length]];
  });
  const mode = c.text('mode', 'constant');
  if (mode === 'constant')
    return [
      pad(
        b,
        c.gradient,
        begin.map((n) => -n),
        end.map((n) => -n),
      ),
    ];
  return [
    range(dims.length)
      .filter((axis) => begin[axis] !== 0 || end[axis] !== 0)
      .reduce((gradient, axis) => {
        const size = c.size(c.inputs[0], axis);
        const places = padded(mode, size, begin[axis], end[axis]);
        return contract(b, gradient, dims.length, axis, selection(places, size));
      }, c.gradient),
  ];
};

export const INDEXING_RULES: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: padRule,
};

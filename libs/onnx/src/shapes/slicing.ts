/** Cutting tensors apart, joining them and padding them. */
import type { Dim } from '../graph.js';
import { dimsText, dividedBy, isFixed, perSample, plus, sameDim } from './dims.js';
import { one, type Rule, type Site } from './site.js';

export const concat: Rule = (at) => {
  const first = at.dims(0);
  const axis = at.axis(at.int('axis'), first.length);
  const dims = [...first];
  for (let index = 1; index < at.node.inputs.length; index++) {
    const other = at.dims(index);
    if (other.length !== first.length || other.some((dim, i) => i !== axis && !sameDim(dim, first[i])))
      at.fail('invalid', `${dimsText(first)} and ${dimsText(other)} do not join along axis ${axis}`);
    dims[axis] =
      plus(dims[axis], other[axis]) ??
      at.fail('unsupported', 'joins fixed sizes with multiples of the batch');
  }
  return one(at.type(0), dims);
};

function partSizes(at: Site, size: Dim): Dim[] {
  if (at.has(1)) {
    const parts = at.entries(1);
    const total = parts.reduce<Dim | undefined>(
      (sum, part) => (sum !== undefined ? plus(sum, part) : sum),
      0,
    );
    return total !== undefined && sameDim(total, size)
      ? parts
      : at.fail('invalid', `parts ${dimsText(parts)} of ${dimsText([size])}`);
  }
  const count = at.int('num_outputs', at.node.outputs.length);
  if (count < 1 || count !== at.node.outputs.length)
    at.fail('invalid', `${at.node.outputs.length} outputs for ${count} parts`);
  if (!isFixed(size)) {
    const part = dividedBy(size, count) ?? at.fail('unsupported', `${dimsText([size])} in ${count} parts`);
    return new Array<Dim>(count).fill(part);
  }
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
}

export const split: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.axis(at.int('axis', 0), dims.length);
  return partSizes(at, dims[axis]).map((part) => ({
    type: at.type(0),
    dims: dims.map((dim, i) => (i === axis ? part : dim)),
  }));
};

export interface Stride {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** What `start:end:step` takes of a fixed size; NumPy's clamping. */
export function strideOf(size: number, start: number, end: number, step: number): Stride {
  const clamp = (at: number) =>
    Math.max(
      step > 0 ? 0 : -1,
      Math.min(step > 0 ? size : size - 1, at < 0 ? Math.max(at + size, step > 0 ? 0 : -1) : at),
    );
  const from = clamp(start);
  const to = clamp(end);
  return { start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

/** A slice of an axis that grows with the batch: as long as its answer is the same formula at every N >= 1. */
function batchSlice(at: Site, k: number, start: Dim, end: Dim, step: number): Dim {
  const whole = isFixed(end) ? end >= 2 ** 31 - 1 : end.perSample >= k;
  if (isFixed(start) && step > 0 && start >= 0) {
    if (whole && start < step && k % step === 0) return perSample(k / step);
    if (isFixed(end) && end >= 0 && end <= k) return strideOf(k, start, end, step).count;
    if (!isFixed(end) && start < step && end.perSample % step === 0) return perSample(end.perSample / step);
  }
  return at.fail('unsupported', 'a slice of the batch that depends on its size');
}

export interface SliceSpec {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** Inputs 1 to 4 of Slice, one entry per sliced axis. */
export function slicesOf(at: Site): SliceSpec[] {
  const rank = at.dims(0).length;
  const starts = at.entries(1);
  const ends = at.entries(2);
  const axes = at.axes(at.has(3) ? at.numbers(3) : [...starts.keys()], rank);
  const steps = at.has(4) ? at.numbers(4) : starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || steps.includes(0))
    at.fail('invalid', 'starts, ends, axes and steps do not fit each other');
  return axes.map((axis, i) => ({ axis, start: starts[i], end: ends[i], step: steps[i] }));
}

export const slice: Rule = (at) => {
  const dims = [...at.dims(0)];
  for (const { axis, start, end, step } of slicesOf(at)) {
    const size = dims[axis];
    if (isFixed(size))
      dims[axis] = strideOf(size, at.fixed(start, 'the start'), at.fixed(end, 'the end'), step).count;
    else dims[axis] = batchSlice(at, size.perSample, start, end, step);
  }
  return one(at.type(0), dims);
};

/** How far every axis grows in front and behind; negative numbers crop. */
export function padsOf(at: Site): { before: number[]; after: number[] } {
  const rank = at.dims(0).length;
  const pads = at.numbers(1);
  const axes = at.has(3) ? at.axes(at.numbers(3), rank) : [...at.dims(0).keys()];
  if (pads.length !== 2 * axes.length) at.fail('invalid', `${pads.length} pads for ${axes.length} axes`);
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads[i];
    after[axis] = pads[i + axes.length];
  }
  return { before, after };
}

export const pad: Rule = (at) => {
  const { before, after } = padsOf(at);
  const dims = at.dims(0).map((dim, axis) => {
    const by = before[axis] + after[axis];
    if (by === 0) return dim;
    const size = at.fixed(dim, `axis ${axis}`) + by;
    return size >= 0 ? size : at.fail('invalid', `axis ${axis} would have ${size} elements`);
  });
  return one(at.type(0), dims);
};

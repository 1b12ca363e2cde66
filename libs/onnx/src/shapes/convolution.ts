/** Conv and ConvTranspose. Data are [batch, channels, ...spatial]. */
import type { Dim, ElementType, TensorInfo } from '../graph.js';
import { dimsText, sameDims } from './dims.js';
import { one, type Rule, type Site } from './site.js';
import { reach, windowCounts, windowsOf } from './windows.js';

function groupsOf(at: Site, channels: number): number {
  const groups = at.int('group', 1);
  if (groups >= 1 && channels % groups === 0) return groups;
  return at.fail('invalid', `${channels} channels in ${groups} groups`);
}

function kernelOf(at: Site, weight: readonly Dim[]): number[] {
  const kernel = weight.slice(2).map((dim) => at.fixed(dim, 'the kernel'));
  const declared = at.ints('kernel_shape', kernel);
  if (declared.length === kernel.length && declared.every((k, i) => k === kernel[i])) return kernel;
  return at.fail('invalid', `kernel_shape [${declared.join()}] and weight ${dimsText(weight)}`);
}

function checkBias(at: Site, index: number, channels: Dim): void {
  if (at.has(index) && !sameDims(at.dims(index), [channels]))
    at.fail('invalid', `bias ${dimsText(at.dims(index))} for ${dimsText([channels])} channels`);
}

function sameRank(at: Site, x: readonly Dim[], w: readonly Dim[]): void {
  if (x.length < 3 || x.length !== w.length)
    at.fail(
      'invalid',
      `input ${dimsText(x)} and weight ${dimsText(w)} differ in rank or have no spatial axis`,
    );
}

/** The convolution of input `x` with weight `w`, whatever element type comes out; `bias` is an input's index. */
export function convolved(
  at: Site,
  x: readonly Dim[],
  w: readonly Dim[],
  bias: number,
  type: ElementType,
): readonly TensorInfo[] {
  sameRank(at, x, w);
  const channels = at.fixed(x[1], 'the number of channels');
  const groups = groupsOf(at, channels);
  const filters = at.fixed(w[0], 'the number of filters');
  if (w[1] !== channels / groups || filters % groups !== 0)
    at.fail('invalid', `input ${dimsText(x)} does not fit weight ${dimsText(w)} in ${groups} groups`);
  checkBias(at, bias, filters);
  const windows = windowsOf(at, kernelOf(at, w));
  return one(type, [x[0], filters, ...windowCounts(at, x.slice(2), windows, false)]);
}

export const conv: Rule = (at) => convolved(at, at.dims(0), at.dims(1), 2, at.type(0));

export const convTranspose: Rule = (at) => {
  const x = at.dims(0);
  const w = at.dims(1);
  sameRank(at, x, w);
  const groups = groupsOf(at, at.fixed(x[1], 'the number of channels'));
  if (w[0] !== x[1]) at.fail('invalid', `input ${dimsText(x)} does not fit weight ${dimsText(w)}`);
  const filters = at.fixed(w[1], 'the number of filters') * groups;
  checkBias(at, 2, filters);
  const windows = windowsOf(at, kernelOf(at, w));
  const axes = windows.kernel.length;
  const extra = at.ints('output_padding', new Array<number>(axes).fill(0));
  const wanted = at.ints('output_shape', []);
  if (extra.length !== axes || (wanted.length > 0 && wanted.length !== axes))
    at.fail('invalid', 'output_padding or output_shape does not have one entry per spatial axis');
  const sizes = x.slice(2).map((dim, axis) => {
    const size = at.fixed(dim, `spatial axis ${axis}`);
    if (wanted.length > 0) return wanted[axis];
    if (windows.autoPad.startsWith('SAME')) return size * windows.strides[axis];
    const pads = windows.autoPad === 'NOTSET' ? windows.pads[axis] + windows.pads[axis + axes] : 0;
    return windows.strides[axis] * (size - 1) + extra[axis] + reach(windows, axis) - pads;
  });
  if (sizes.some((size) => size < 1)) at.fail('invalid', `output would be [${sizes.join()}]`);
  return one(at.type(0), [x[0], filters, ...sizes]);
};

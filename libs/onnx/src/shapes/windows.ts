/**
 * Sizes of sliding windows, one spatial axis at a time, as the standard defines them for convolutions and
 * pools: https://onnx.ai/onnx/operators/onnx__Conv.html and onnx__MaxPool.html.
 */
import type { Dim } from '../graph.js';
import type { Site } from './site.js';

export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All beginnings, then all ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

/**
 * Of a kernel, a step, a gap or a padding along an axis; published models have tens. The gradient of a window stands in
 * constants of its size, so a few numbers in a file could fill any memory.
 */
const LARGEST = 2 ** 12;

function attribute(
  at: Site,
  name: string,
  length: number,
  least: number,
  otherwise: number,
): readonly number[] {
  const values = at.ints(name, new Array<number>(length).fill(otherwise));
  if (values.length !== length || !values.every((v) => Number.isSafeInteger(v) && v >= least))
    at.fail('invalid', `attribute '${name}' is [${values.join()}]`);
  if (values.some((v) => Math.abs(v) > LARGEST))
    at.fail('limit', `attribute '${name}' is [${values.join()}], beyond ${LARGEST}`);
  return values;
}

export function windowsOf(at: Site, kernel: readonly number[]): Windows {
  const axes = kernel.length;
  if (axes === 0 || !kernel.every((k) => Number.isSafeInteger(k) && k >= 1))
    at.fail('invalid', `kernel [${kernel.join()}]`);
  if (kernel.some((k) => k > LARGEST)) at.fail('limit', `kernel [${kernel.join()}], beyond ${LARGEST}`);
  const autoPad = at.string('auto_pad', 'NOTSET');
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(autoPad))
    at.fail('invalid', `auto_pad '${autoPad}'`);
  return {
    kernel,
    strides: attribute(at, 'strides', axes, 1, 1),
    dilations: attribute(at, 'dilations', axes, 1, 1),
    pads: attribute(at, 'pads', 2 * axes, Number.MIN_SAFE_INTEGER, 0),
    autoPad,
  };
}

/** How far one window reaches along an axis. */
export const reach = (windows: Windows, axis: number): number =>
  (windows.kernel[axis] - 1) * windows.dilations[axis] + 1;

/** Number of windows along every spatial axis. */
export function windowCounts(at: Site, sizes: readonly Dim[], windows: Windows, ceil: boolean): number[] {
  return sizes.map((dim, axis) => {
    const size = at.fixed(dim, `spatial axis ${axis}`);
    const stride = windows.strides[axis];
    if (windows.autoPad.startsWith('SAME')) return Math.ceil(size / stride);
    const explicit = windows.autoPad === 'NOTSET';
    const begin = explicit ? windows.pads[axis] : 0;
    const end = explicit ? windows.pads[axis + sizes.length] : 0;
    const room = size + begin + end - reach(windows, axis);
    if (room < 0)
      at.fail('invalid', `a window of ${reach(windows, axis)} does not fit into ${size} and its padding`);
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    // A last window that would start behind the data and its leading padding is left out.
    return ceil && (count - 1) * stride >= size + begin ? count - 1 : count;
  });
}

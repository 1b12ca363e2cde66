/**
 * The gradient of Resize. Interpolation is linear and separable, so its adjoint is one product with a constant
 * matrix per resized axis; repeating each element k times goes back by sums over k.
 * Coordinates and weights as in https://onnx.ai/onnx/operators/onnx__Resize.html.
 */
import type { Rule, RuleContext } from './rule.js';
import { contract, product, range, scale } from './tensors.js';

/** Where an element of the output lies in the coordinates of the input. */
function coordinate(c: RuleContext, at: number, from: number, to: number, factor: number): number {
  const transform = c.text('coordinate_transformation_mode', 'half_pixel');
  switch (transform) {
    case 'half_pixel':
      return (at + 0.5) / factor - 0.5;
    case 'half_pixel_symmetric': {
      const adjustment = to / (factor * from);
      return (from / 2) * (1 - adjustment) + (at + 0.5) / factor - 0.5;
    }
    case 'pytorch_half_pixel':
      return to > 1 ? (at + 0.5) / factor - 0.5 : 0;
    case 'asymmetric':
      return at / factor;
    case 'align_corners':
      return to === 1 ? 0 : (at * (from - 1)) / (to - 1);
    default:
      return c.refuse(`the coordinate transformation ${transform} is not known`);
  }
}

function nearest(c: RuleContext, x: number): number {
  const mode = c.text('nearest_mode', 'round_prefer_floor');
  if (mode === 'floor') return Math.floor(x);
  if (mode === 'ceil') return Math.ceil(x);
  return mode === 'round_prefer_ceil' ? Math.floor(x + 0.5) : Math.ceil(x - 0.5);
}

/** Keys' cubic kernel (IEEE Trans. ASSP 29(6), 1981). */
function cubic(a: number, distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/** The input elements that one output element is made of, with their weights; elements beyond the edge repeat it. */
function weights(c: RuleContext, x: number, from: number): readonly (readonly [number, number])[] {
  const mode = c.text('mode', 'nearest');
  const base = Math.floor(x);
  if (mode === 'nearest') return [[nearest(c, x), 1]];
  if (mode === 'linear')
    return [
      [base, 1 - (x - base)],
      [base + 1, x - base],
    ];
  if (mode !== 'cubic') return c.refuse(`the mode ${mode} is not known`);
  const a = c.float('cubic_coeff_a', -0.75);
  const taps = [-1, 0, 1, 2].map((k): [number, number] => [base + k, cubic(a, x - base - k)]);
  if (c.int('exclude_outside', 0) === 0) return taps;
  const inside = taps.filter(([at]) => at >= 0 && at < from);
  const sum = inside.reduce((total, [, weight]) => total + weight, 0);
  return inside.map(([at, weight]) => [at, weight / sum]);
}

/** One row per output element: [to, from]. */
function interpolation(c: RuleContext, from: number, to: number, factor: number): Float32Array {
  const data = new Float32Array(to * from);
  for (let at = 0; at < to; at++) {
    for (const [index, weight] of weights(c, coordinate(c, at, from, to, factor), from))
      data[at * from + Math.min(Math.max(index, 0), from - 1)] += weight;
  }
  return data;
}

/** Whether the matrix repeats every element `times` times in a row. */
const repeats = (matrix: Float32Array, from: number, times: number): boolean =>
  matrix.every((value, at) => value === (Math.floor(Math.floor(at / from) / times) === at % from ? 1 : 0));

const resize: Rule = (c) => {
  if (c.int('antialias', 0) === 1) c.refuse('its antialiasing is not differentiated');
  const [x, , scales] = c.inputs;
  const dims = c.dims(x);
  const given = scales ? c.constant(scales)?.data : undefined;
  const named = c.ints('axes')?.map((axis) => (axis < 0 ? axis + dims.length : axis)) ?? range(dims.length);
  const resized = range(dims.length).flatMap((axis) => {
    if (typeof dims[axis] !== 'number') return [];
    const [from, to] = [c.size(x, axis), c.size(c.output, axis)];
    const place = named.indexOf(axis);
    const factor = given?.length && place >= 0 ? Number(given[place]) : to / from;
    const data = interpolation(c, from, to, factor);
    return from === to && repeats(data, from, 1) ? [] : [{ axis, from, to, data }];
  });
  const whole = resized.every(({ from, to, data }) => to % from === 0 && repeats(data, from, to / from));
  if (whole && dims.length > 2 && resized.every(({ axis }) => axis >= 2)) {
    const kernel = range(dims.length - 2).map((i) => c.size(c.output, i + 2) / c.size(x, i + 2));
    const mean = c.emit('AveragePool', [c.gradient], { kernel_shape: kernel, strides: kernel });
    return [scale(c.builder, mean, product(kernel))];
  }
  return [
    resized.reduce(
      (gradient, { axis, from, to, data }) =>
        contract(c.builder, gradient, dims.length, axis, { from: to, to: from, data }),
      c.gradient,
    ),
  ];
};

export const RESIZE_RULES: Readonly<Record<string, Rule>> = { Resize: resize };

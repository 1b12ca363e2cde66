/**
 * Gradients of maxima and minima, of several tensors or along axes. Elements that tie share the gradient evenly,
 * so that the gradient of a maximum always sums to one: images have flat regions, where all of a window ties.
 */
import { above, below } from './blocked.js';
import type { Rule, RuleContext } from './rule.js';
import { addAll, equalMask, range, sumTo } from './tensors.js';
import { keptAxes, unreduced } from './axes.js';

/** Max and Min of any number of tensors. */
const extremum: Rule = (c) => {
  const b = c.builder;
  const masks = c.inputs.map((input) => equalMask(b, input, c.output));
  const share = c.inputs.length === 1 ? c.gradient : c.emit('Div', [c.gradient, addAll(b, masks)]);
  return c.inputs.map((input, i) =>
    c.wanted[i] ? sumTo(b, c.emit('Mul', [share, masks[i]]), c.dims(c.output), c.dims(input)) : undefined,
  );
};

/** The gradient of a maximum or minimum over `axes`, whose value and gradient keep them as 1. */
function extremumAlong(c: RuleContext, axes: readonly number[], value: string, gradient: string): string {
  const mask = equalMask(c.builder, c.inputs[0], value);
  const count = c.emit('ReduceSum', [mask, c.builder.i64(axes)], { keepdims: 1 });
  return c.emit('Mul', [mask, c.emit('Div', [gradient, count])]);
}

const reduceExtremum: Rule = (c) => {
  const axes = keptAxes(c);
  return [extremumAlong(c, axes, unreduced(c, c.output, axes), unreduced(c, c.gradient, axes))];
};

const globalMaxPool: Rule = (c) => {
  const axes = range(c.dims(c.inputs[0]).length).slice(2);
  return [extremumAlong(c, axes, c.output, c.gradient)];
};

/** Operators whose results meet a bound exactly only by accident. */
const CONTINUOUS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'BatchNormalization',
  'Gemm',
  'MatMul',
]);

/**
 * Passes where the value was kept, the bounds included: a picture that is clipped to [0, 1] has many pixels there.
 * Behind a convolution no value is at a bound unless it was moved there, so the output alone tells; then the runtime
 * can fuse the Clip into the convolution, and the masks stay in its layout. That is PyTorch's rule for ReLU6.
 */
const clip: Rule = (c) => {
  const b = c.builder;
  if (c.wanted[1] || c.wanted[2]) c.refuse('its bounds must not depend on what is differentiated');
  const [low, high] = [1, 2].map((i) => {
    if (!c.inputs[i]) return i === 1 ? -Infinity : Infinity;
    return c.constant(c.inputs[i])?.data[0];
  });
  const producer = c.graph.nodes.find((node) => node.outputs.includes(c.inputs[0]));
  if (typeof low === 'number' && typeof high === 'number' && CONTINUOUS.has(producer?.op ?? '')) {
    const masks = [
      ...(low === -Infinity ? [] : [above(b, c.output, low)]),
      ...(high === Infinity ? [] : [below(b, c.output, high)]),
    ];
    return [masks.reduce((gradient, mask) => c.emit('Mul', [gradient, mask]), c.gradient)];
  }
  const kept = c.emit('Equal', [c.inputs[0], c.output]);
  return [c.emit('Where', [kept, c.gradient, c.builder.f32(0)])];
};

export const EXTREMUM_RULES: Readonly<Record<string, Rule>> = {
  Max: extremum,
  Min: extremum,
  ReduceMax: reduceExtremum,
  ReduceMin: reduceExtremum,
  GlobalMaxPool: globalMaxPool,
  Clip: clip,
};

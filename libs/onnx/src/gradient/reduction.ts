/** Gradients of sums, means and norms over axes. */
import type { Dim } from '../graph.js';
import { keptAxes, unreduced } from './axes.js';
import type { Rule, RuleContext } from './rule.js';
import { allFixed, product, scale } from './tensors.js';

/** The gradient repeated along reduced axes; `gradient` has them as 1. */
function repeatAlong(c: RuleContext, gradient: string, axes: readonly number[]): string {
  const dims = c.dims(c.inputs[0]);
  if (axes.some((axis) => typeof dims[axis] !== 'number'))
    return c.emit('Expand', [gradient, c.emit('Shape', [c.inputs[0]])]);
  const target = dims.map((dim, i) => (axes.includes(i) && typeof dim === 'number' ? dim : 1));
  return c.emit('Expand', [gradient, c.builder.i64(target)]);
}

/** The gradient over the number of elements that one mean is taken of. */
function overCount(c: RuleContext, gradient: string, reduced: readonly Dim[]): string {
  if (allFixed(reduced)) return scale(c.builder, gradient, 1 / product(reduced));
  const count = c.emit('Div', [c.emit('Size', [c.inputs[0]]), c.emit('Size', [c.output])]);
  return c.emit('Div', [gradient, c.emit('Cast', [count], { to: 1 })]);
}

const reduceSum: Rule = (c) => {
  const axes = keptAxes(c);
  return [repeatAlong(c, unreduced(c, c.gradient, axes), axes)];
};

const reduceMean: Rule = (c) => {
  const axes = keptAxes(c);
  const dims = c.dims(c.inputs[0]);
  const share = overCount(
    c,
    unreduced(c, c.gradient, axes),
    axes.map((axis) => dims[axis]),
  );
  return [repeatAlong(c, share, axes)];
};

const globalAveragePool: Rule = (c) => {
  const dims = c.dims(c.inputs[0]);
  const axes = dims.map((_, i) => i).slice(2);
  return [repeatAlong(c, overCount(c, c.gradient, dims.slice(2)), axes)];
};

/** d |x|_2 = x / |x|; at zero the gradient is zero. */
const reduceL2: Rule = (c) => {
  const axes = keptAxes(c);
  const norm = c.emit('Max', [unreduced(c, c.output, axes), c.builder.f32(1e-30)]);
  return [c.emit('Mul', [c.inputs[0], c.emit('Div', [unreduced(c, c.gradient, axes), norm])])];
};

const reduceL1: Rule = (c) => [
  c.emit('Mul', [c.emit('Sign', [c.inputs[0]]), unreduced(c, c.gradient, keptAxes(c))]),
];

const reduceSumSquare: Rule = (c) => [
  c.emit('Mul', [c.inputs[0], scale(c.builder, unreduced(c, c.gradient, keptAxes(c)), 2)]),
];

/** d log sum exp x = exp(x - y). */
const reduceLogSumExp: Rule = (c) => {
  const axes = keptAxes(c);
  const share = c.emit('Exp', [c.emit('Sub', [c.inputs[0], unreduced(c, c.output, axes)])]);
  return [c.emit('Mul', [share, unreduced(c, c.gradient, axes)])];
};

export const REDUCTION_RULES: Readonly<Record<string, Rule>> = {
  ReduceSum: reduceSum,
  ReduceMean: reduceMean,
  GlobalAveragePool: globalAveragePool,
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceSumSquare: reduceSumSquare,
  ReduceLogSumExp: reduceLogSumExp,
};

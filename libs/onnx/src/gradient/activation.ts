/**
 * Gradients of activation functions. Where the function allows it they are written with its output, which lets
 * the runtime fuse the activation into the convolution before it; masks are a steep HardSigmoid, which is one
 * pass and faster than a comparison followed by a selection.
 */
import { float } from '../builder.js';
import { flushes } from '../graph-tools/flush.js';
import { above } from './blocked.js';
import type { Rule, RuleContext } from './rule.js';
import { scale, sumTo } from './tensors.js';

/** 1 where `tensor` is positive, else 0. */
const positive = (c: RuleContext, tensor: string): string => above(c.builder, tensor);

const times =
  (derivative: (c: RuleContext) => string): Rule =>
  (c) => [c.emit('Mul', [c.gradient, derivative(c)])];

const oneMinus = (c: RuleContext, tensor: string): string => c.emit('Sub', [c.builder.f32(1), tensor]);

const relu: Rule = times((c) => positive(c, c.output));

/** `slope` where x is not positive, else 1; any slope. */
const leaky = (c: RuleContext, slope: string, between0And1: boolean): string =>
  between0And1
    ? c.emit('Max', [positive(c, c.inputs[0]), slope])
    : c.emit('Where', [c.emit('Greater', [c.inputs[0], c.builder.f32(0)]), c.builder.f32(1), slope]);

const leakyRelu: Rule = times((c) => {
  const alpha = c.float('alpha', 0.01);
  const slope = c.builder.f32(alpha);
  // A positive slope keeps the sign, so the output tells as much as the input.
  if (alpha > 0 && alpha <= 1) return c.emit('Max', [positive(c, c.output), slope]);
  return leaky(c, slope, false);
});

const prelu: Rule = (c) => {
  const [x, slope] = c.inputs;
  const known = c.constant(slope)?.data as Float32Array | undefined;
  const between0And1 = known?.every((value) => value >= 0 && value <= 1) ?? false;
  const negative = (): string => c.emit('Min', [x, c.builder.f32(0)]);
  return [
    c.wanted[0] ? c.emit('Mul', [c.gradient, leaky(c, slope, between0And1)]) : undefined,
    c.wanted[1]
      ? sumTo(c.builder, c.emit('Mul', [c.gradient, negative()]), c.dims(x), c.dims(slope))
      : undefined,
  ];
};

/** Linear for positive x; below, the derivative is the output plus a constant. */
const exponentialUnit = (c: RuleContext, above: number, below: number): string =>
  c.emit('Where', [
    c.emit('Greater', [c.inputs[0], c.builder.f32(0)]),
    c.builder.f32(above),
    c.emit('Add', [c.output, c.builder.f32(below)]),
  ]);

const elu: Rule = times((c) => exponentialUnit(c, 1, c.float('alpha', 1)));
const selu: Rule = times((c) => {
  const gamma = c.float('gamma', 1.0507009873554805);
  return exponentialUnit(c, gamma, gamma * c.float('alpha', 1.6732632423543772));
});

const sigmoid: Rule = times((c) => c.emit('Mul', [c.output, oneMinus(c, c.output)]));
const tanh: Rule = times((c) => oneMinus(c, c.emit('Mul', [c.output, c.output])));
const softplus: Rule = times((c) => c.emit('Sigmoid', [c.inputs[0]]));

/** `alpha` where the output lies strictly between 0 and 1, else 0. */
const hardSigmoid: Rule = (c) => {
  if (flushes(c.node)) return [c.gradient];
  const inside = c.emit('And', [
    c.emit('Greater', [c.output, c.builder.f32(0)]),
    c.emit('Less', [c.output, c.builder.f32(1)]),
  ]);
  const slope = c.emit('Where', [inside, c.builder.f32(c.float('alpha', 0.2)), c.builder.f32(0)]);
  return [c.emit('Mul', [c.gradient, slope])];
};

/** y = x clip(x/6 + 1/2, 0, 1): x/3 + 1/2 within (-3, 3), 0 below, 1 above. */
const hardSwish: Rule = times((c) => {
  const [x] = c.inputs;
  const ramp = c.emit('Add', [scale(c.builder, x, 1 / 3), c.builder.f32(0.5)]);
  const inside = c.emit('Less', [c.emit('Abs', [x]), c.builder.f32(3)]);
  return c.emit('Where', [inside, ramp, positive(c, x)]);
});

/** Exact: Phi(x) + x phi(x). Tanh form: with t = tanh(k (x + 0.044715 x^3)), (1+t)/2 + x (1-t^2) k (1 + 0.134145 x^2) / 2. */
const gelu: Rule = times((c) => {
  const [x] = c.inputs;
  const b = c.builder;
  if (c.text('approximate', 'none') === 'tanh') {
    const k = Math.sqrt(2 / Math.PI);
    const square = c.emit('Mul', [x, x]);
    const inner = c.emit('Add', [scale(b, square, 0.044715 * k), b.f32(k)]);
    const t = c.emit('Tanh', [c.emit('Mul', [x, inner])]);
    const slope = c.emit('Add', [scale(b, square, 0.5 * 3 * 0.044715 * k), b.f32(0.5 * k)]);
    const bend = c.emit('Mul', [c.emit('Mul', [x, slope]), oneMinus(c, c.emit('Mul', [t, t]))]);
    return c.emit('Add', [c.emit('Add', [scale(b, t, 0.5), b.f32(0.5)]), bend]);
  }
  const root = scale(b, x, Math.SQRT1_2);
  // A ramp that never reaches its bounds: one pass instead of two.
  const cumulative = c.emit('HardSigmoid', [c.emit('Erf', [root])], { alpha: float(0.5), beta: float(0.5) });
  const halfSquare = c.emit('Mul', [root, root]);
  const density = c.emit('Exp', [c.emit('Sub', [b.f32(-0.5 * Math.log(2 * Math.PI)), halfSquare])]);
  return c.emit('Add', [cumulative, c.emit('Mul', [x, density])]);
});

/** y = x t with t = tanh(softplus(x)): t + x sigmoid(x) (1 - t^2). */
const mish: Rule = times((c) => {
  const [x] = c.inputs;
  const t = c.emit('Tanh', [c.emit('Softplus', [x])]);
  const bend = c.emit('Mul', [c.emit('Sigmoid', [x]), oneMinus(c, c.emit('Mul', [t, t]))]);
  return c.emit('Add', [t, c.emit('Mul', [x, bend])]);
});

/** dx = y (g - sum(g y)). */
const softmax: Rule = (c) => {
  const axis = c.builder.i64([c.int('axis', -1)]);
  const weighted = c.emit('Mul', [c.gradient, c.output]);
  const sum = c.emit('ReduceSum', [weighted, axis], { keepdims: 1 });
  return [c.emit('Sub', [weighted, c.emit('Mul', [c.output, sum])])];
};

/** dx = g - exp(y) sum(g). */
const logSoftmax: Rule = (c) => {
  const axis = c.builder.i64([c.int('axis', -1)]);
  const sum = c.emit('ReduceSum', [c.gradient, axis], { keepdims: 1 });
  return [c.emit('Sub', [c.gradient, c.emit('Mul', [c.emit('Exp', [c.output]), sum])])];
};

export const ACTIVATION_RULES: Readonly<Record<string, Rule>> = {
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: prelu,
  Elu: elu,
  Selu: selu,
  Sigmoid: sigmoid,
  Tanh: tanh,
  Softplus: softplus,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Gelu: gelu,
  Mish: mish,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};

/** Gradients of arithmetic, element by element, with broadcasting. */
import type { ElementType } from '../graph.js';
import type { Rule, RuleContext } from './rule.js';
import { scale, sumTo } from './tensors.js';

/** Calls `gradient` for every wanted input and sums what it gives over the axes that were broadcast. */
const each =
  (...gradients: ((c: RuleContext, g: string) => string)[]): Rule =>
  (c) =>
    c.inputs.map((input, i) => {
      if (!c.wanted[i]) return undefined;
      return sumTo(c.builder, gradients[i](c, c.gradient), c.dims(c.output), c.dims(input));
    });

/** d f(x) = g f'(x), where `derivative` names the tensor that multiplies g. */
const timesDerivative = (derivative: (c: RuleContext) => string): Rule =>
  each((c, g) => c.emit('Mul', [g, derivative(c)]));

const pass = (_: RuleContext, g: string): string => g;

const add: Rule = each(pass, pass);
const subtract: Rule = each(pass, (c, g) => c.emit('Neg', [g]));
const multiply: Rule = each(
  (c, g) => c.emit('Mul', [g, c.inputs[1]]),
  (c, g) => c.emit('Mul', [g, c.inputs[0]]),
);

/** y = a / b: dy/da = 1 / b, dy/db = -y / b. */
const divide: Rule = each(
  (c, g) => c.emit('Div', [g, c.inputs[1]]),
  (c, g) => c.emit('Neg', [c.emit('Div', [c.emit('Mul', [g, c.output]), c.inputs[1]])]),
);

/** y = a^p: dy/da = p a^(p-1), dy/dp = y log a where a > 0, else 0. */
const power: Rule = each(
  (c, g) => {
    const [a, p] = c.inputs;
    const exponent = c.constant(p);
    if (exponent?.data.length === 1) {
      const value = Number(exponent.data[0]);
      if (value === 2) return c.emit('Mul', [g, scale(c.builder, a, 2)]);
      const root = c.emit('Pow', [a, c.builder.f32(value - 1)]);
      return c.emit('Mul', [g, scale(c.builder, root, value)]);
    }
    const given = c.type(p) === 'float32' ? p : c.emit('Cast', [p], { to: 1 });
    const less = c.emit('Pow', [a, c.emit('Sub', [given, c.builder.f32(1)])]);
    return c.emit('Mul', [c.emit('Mul', [g, given]), less]);
  },
  (c, g) => {
    const [a] = c.inputs;
    const zero = c.builder.f32(0);
    const positive = c.emit('Greater', [a, zero]);
    const log = c.emit('Log', [c.emit('Where', [positive, a, c.builder.f32(1)])]);
    return c.emit('Mul', [g, c.emit('Mul', [c.output, log])]);
  },
);

const squareRoot: Rule = each((c, g) => c.emit('Div', [scale(c.builder, g, 0.5), c.output]));
const exponential: Rule = timesDerivative((c) => c.output);
const logarithm: Rule = each((c, g) => c.emit('Div', [g, c.inputs[0]]));
const negate: Rule = each((c, g) => c.emit('Neg', [g]));
const absolute: Rule = timesDerivative((c) => c.emit('Sign', [c.inputs[0]]));
const reciprocal: Rule = each((c, g) =>
  c.emit('Neg', [c.emit('Mul', [g, c.emit('Mul', [c.output, c.output])])]),
);
const sine: Rule = timesDerivative((c) => c.emit('Cos', [c.inputs[0]]));
const cosine: Rule = timesDerivative((c) => c.emit('Neg', [c.emit('Sin', [c.inputs[0]])]));

/** d erf(x) = 2 / sqrt(pi) exp(-x^2). */
const errorFunction: Rule = timesDerivative((c) => {
  const [x] = c.inputs;
  const bell = c.emit('Exp', [c.emit('Neg', [c.emit('Mul', [x, x])])]);
  return scale(c.builder, bell, 2 / Math.sqrt(Math.PI));
});

/** A sum or mean of any number of tensors. */
const combine =
  (share: (count: number) => number): Rule =>
  (c) =>
    c.inputs.map((input, i) =>
      c.wanted[i]
        ? scale(
            c.builder,
            sumTo(c.builder, c.gradient, c.dims(c.output), c.dims(input)),
            share(c.inputs.length),
          )
        : undefined,
    );

const where: Rule = (c) => {
  const [condition, ...branches] = c.inputs;
  const zero = c.builder.f32(0);
  const taken = branches.map((branch, i) => {
    if (!c.wanted[i + 1]) return undefined;
    const sides = i === 0 ? [c.gradient, zero] : [zero, c.gradient];
    return sumTo(c.builder, c.emit('Where', [condition, ...sides]), c.dims(c.output), c.dims(branch));
  });
  return [undefined, ...taken];
};

const identity: Rule = (c) => [c.gradient];

/** As in evaluation: the identity. */
const dropout: Rule = (c) => {
  const training = c.inputs[2] ? c.constant(c.inputs[2])?.data[0] : 0;
  if (training !== 0) c.refuse('it must not drop anything at random while it is attacked');
  return [c.gradient];
};

const FLOAT_CODES: Partial<Record<ElementType, number>> = {
  float32: 1,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

/** From float to float. */
const cast: Rule = (c) => {
  const to = FLOAT_CODES[c.type(c.inputs[0])] ?? c.refuse('it reads integers');
  return [c.emit('Cast', [c.gradient], { to })];
};

export const ELEMENTWISE_RULES: Readonly<Record<string, Rule>> = {
  Add: add,
  Sub: subtract,
  Mul: multiply,
  Div: divide,
  Pow: power,
  Sqrt: squareRoot,
  Exp: exponential,
  Log: logarithm,
  Neg: negate,
  Abs: absolute,
  Reciprocal: reciprocal,
  Sin: sine,
  Cos: cosine,
  Erf: errorFunction,
  Sum: combine(() => 1),
  Mean: combine((count) => 1 / count),
  Where: where,
  Identity: identity,
  Dropout: dropout,
  Cast: cast,
};

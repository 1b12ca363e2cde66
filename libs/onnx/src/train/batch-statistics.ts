/**
 * BatchNormalization as training needs it: with the mean and variance of the batch over N, height and width, and
 * running moments moved towards them. The inference operator stays in the graph, fed with the batch's moments;
 * it is one pass over the activations, forwards and backwards.
 */
import { float, type GraphBuilder } from '../builder.js';
import { batchNormInputGradient } from '../gradient/normalisation.js';
import type { Rule } from '../gradient/rule.js';
import { ModelError } from '../errors.js';
import type { Node, Shapes } from '../graph.js';
import type { PendingFactors } from './convolution.js';
import { nextOf } from './spec.js';

/** Per-channel tensors [C] of one normalisation; `count` is the scalar number of values per channel. */
export interface Moments {
  readonly mean: string;
  readonly variance: string;
  readonly count: string;
}

const DEFAULT_EPSILON = 1e-5;
const DEFAULT_MOMENTUM = 0.9;

const attribute = (node: Node, name: string, fallback: number): number => {
  const value = node.attributes[name];
  return value?.kind === 'float' ? value.value : fallback;
};

/** Mean over N of [N, C]. */
const overBatch = (b: GraphBuilder, tensor: string): string =>
  b.node('ReduceMean', [tensor, b.i64([0])], { keepdims: 0 });

/** Sizes of the channels and of one channel's values in a sample. */
function sizesOf(node: Node, shapes: Shapes): { channels: number; positions: number } {
  const [, ...sizes] = shapes.get(node.inputs[0])?.dims ?? [];
  const fixed = sizes.filter((dim): dim is number => typeof dim === 'number');
  if (fixed.length !== 3 || sizes.length !== 3)
    throw new ModelError(
      'unsupported',
      'only [N, C, height, width] can be normalised in training',
      node.name,
    );
  return { channels: fixed[0], positions: fixed[1] * fixed[2] };
}

/**
 * Appends the normalisation with the batch's moments, and the next running moments as outputs. The variance is the
 * mean square less the squared mean, one pass instead of two: its relative error is about 1e-7 (mean / deviation)^2,
 * which is small behind a convolution.
 */
export function appendBatchNorm(b: GraphBuilder, node: Node, shapes: Shapes): Moments {
  const { channels, positions } = sizesOf(node, shapes);
  const [x, scale, bias, runningMean, runningVariance] = node.inputs;
  const axes = b.i64([2, 3]);
  const mean = overBatch(b, b.node('ReduceMean', [x, axes], { keepdims: 0 }));
  const energy = overBatch(b, b.node('ReduceSumSquare', [x, axes], { keepdims: 0 }));
  const square = b.node('Mul', [energy, b.f32(1 / positions)]);
  const spread = b.node('Sub', [square, b.node('Mul', [mean, mean])]);
  const variance = b.node('Max', [spread, b.f32(0)]);
  const epsilon = float(attribute(node, 'epsilon', DEFAULT_EPSILON));
  b.node('BatchNormalization', [x, scale, bias, mean, variance], { epsilon }, node.outputs[0]);

  const samples = b.node('Squeeze', [
    b.node('Cast', [b.node('Shape', [x], { start: 0, end: 1 })], { to: 1 }),
  ]);
  const count = b.node('Mul', [samples, b.f32(positions)]);
  const others = b.node('Max', [b.node('Sub', [count, b.f32(1)]), b.f32(1)]);
  const unbiased = b.node('Mul', [variance, b.node('Div', [count, others])]);
  const kept = attribute(node, 'momentum', DEFAULT_MOMENTUM);
  const move = (running: string, batch: string): void => {
    const old = b.node('Mul', [running, b.f32(kept)]);
    const next = b.node('Add', [old, b.node('Mul', [batch, b.f32(1 - kept)])], {}, nextOf(running));
    b.output(next, 'float32', [channels]);
  };
  move(runningMean, mean);
  move(runningVariance, unbiased);
  return { mean, variance, count };
}

/**
 * The gradient through {@link appendBatchNorm}. With s = 1 / sqrt(variance + epsilon) and gamma the scale,
 * dx = gamma s (g - mean(g) - (x - mean) s^2 mean(g (x - mean))): the part in brackets is affine in x per channel,
 * so it is the operator itself once more plus g, and gamma s is left to the convolution before where it can be.
 */
export const batchNormRule =
  (moments: ReadonlyMap<Node, Moments>, pending: PendingFactors, defers: (tensor: string) => boolean): Rule =>
  (c) => {
    const known = moments.get(c.node);
    if (known === undefined) throw new ModelError('invalid', 'was not prepared for training', c.node.name);
    const { mean, variance, count } = known;
    const b = c.builder;
    const [x, scale] = c.inputs;
    const g = c.gradient;
    const axes = b.i64([2, 3]);
    const batch = b.i64([0]);
    const sum = (tensor: string): string =>
      b.node('ReduceSum', [b.node('ReduceSum', [tensor, axes], { keepdims: 0 }), batch], { keepdims: 0 });

    const bias = sum(g);
    const product = sum(b.node('Mul', [g, x]));
    const centred = b.node('Sub', [product, b.node('Mul', [mean, bias])]);
    const epsilon = b.f32(c.float('epsilon', DEFAULT_EPSILON));
    const inverse = b.node('Reciprocal', [b.node('Sqrt', [b.node('Add', [variance, epsilon])])]);
    const gain = b.node('Mul', [centred, inverse]);
    if (!c.wanted[0]) return [undefined, gain, bias, undefined, undefined];

    const slope = b.node('Neg', [b.node('Div', [b.node('Mul', [gain, inverse]), count])]);
    const offset = b.node('Neg', [b.node('Div', [bias, count])]);
    const one = b.constant({
      type: 'float32',
      dims: [c.size(x, 1)],
      data: new Float32Array(c.size(x, 1)).fill(1),
    });
    const affine = b.node('BatchNormalization', [x, slope, offset, mean, one], { epsilon: float(0) });
    const inner = b.node('Add', [g, affine]);
    const factor = b.node('Mul', [scale, inverse]);
    if (defers(x)) {
      pending.set(x, factor);
      return [inner, gain, bias, undefined, undefined];
    }
    const spread = b.node('Unsqueeze', [factor, b.i64([1, 2])]);
    return [b.node('Mul', [inner, spread]), gain, bias, undefined, undefined];
  };

/**
 * The gradient of the inference operator where the running moments are kept: with s = 1 / sqrt(variance + epsilon),
 * dx = gamma s g, dgamma = sum g (x - mean) s, dbeta = sum g.
 */
export const frozenNormRule: Rule = (c) => {
  const b = c.builder;
  const [x, , , mean, variance] = c.inputs;
  const others = c.dims(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const sum = (tensor: string): string => b.node('ReduceSum', [tensor, b.i64(others)], { keepdims: 0 });
  const bias = sum(c.gradient);
  const epsilon = b.f32(c.float('epsilon', DEFAULT_EPSILON));
  const deviation = b.node('Sqrt', [b.node('Add', [variance, epsilon])]);
  const centred = b.node('Sub', [sum(b.node('Mul', [c.gradient, x])), b.node('Mul', [mean, bias])]);
  return [
    c.wanted[0] ? batchNormInputGradient(c) : undefined,
    b.node('Div', [centred, deviation]),
    bias,
    undefined,
    undefined,
  ];
};

/** Terms on maps and features. */
import { tensorF32 } from '../builder.js';
import { ModelError } from '../errors.js';
import { BATCH } from './frame.js';
import {
  alongPositions,
  pooled,
  type Pooling,
  poolingOf,
  repeated,
  type Texture,
  textureOf,
} from './pooled.js';
import type { Side } from './spec.js';
import { flat, perSample, rowSum, times, towardsOther, type Seeded, type TermContext } from './term.js';

export function mapMargin(c: TermContext, tensor: string, high: Side): Seeded {
  const b = c.builder;
  const sizes = perSample(c, tensor);
  const count = sizes.reduce((a, size) => a * size, 1);
  const axes = b.i64(sizes.map((_, i) => i + 1));
  const sign = towardsOther(c, high, sizes.length + 1);
  const mean = sizes.length === 0 ? tensor : b.node('ReduceMean', [tensor, axes], { keepdims: 1 });
  const share = times(b, sign, b.f32(1 / count));
  return {
    tensor,
    gradient: b.node('Expand', [share, b.node('Shape', [tensor])]),
    value: flat(b, times(b, mean, sign)),
  };
}

export function squaredError(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const sizes = perSample(c, tensor);
  const count = sizes.reduce((a, size) => a * size, 1);
  const off = b.node('Sub', [tensor, c.input(target, 'float32', [BATCH, ...sizes])]);
  const square = times(b, off, off);
  const axes = b.i64(sizes.map((_, i) => i + 1));
  return {
    tensor,
    gradient: times(b, off, b.f32(2 / count)),
    value: sizes.length === 0 ? square : b.node('ReduceMean', [square, axes], { keepdims: 0 }),
  };
}

export function pooledDistance(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const clean = c.input(target, 'float32', [BATCH, pooling.channels]);
  const off = b.node('Sub', [pooled(b, tensor, pooling), clean]);
  const slope = alongPositions(b, times(b, off, b.f32(2 / pooling.positions)), pooling);
  return { tensor, gradient: repeated(b, slope, tensor, pooling), value: rowSum(b, times(b, off, off)) };
}

function checkWeights(tensor: string, weights: Float32Array, length: number): void {
  if (weights.length !== length)
    throw new ModelError('invalid', `needs ${length} weights, there are ${weights.length}`, tensor);
}

/** sign x `score` [N, 1], as [N]. */
const signed = (c: TermContext, score: string): string => flat(c.builder, times(c.builder, score, c.sign()));

/** The gradient of sign (weights . pooled); `weights` is [1, C] or [N, C]. */
function levelSlope(c: TermContext, weights: string, pooling: Pooling): string {
  const b = c.builder;
  const share = times(b, weights, b.f32(1 / pooling.positions));
  return alongPositions(b, times(b, share, c.sign()), pooling);
}

const row = (b: TermContext['builder'], weights: Float32Array): string =>
  b.constant(tensorF32([1, weights.length], weights));

const product = (b: TermContext['builder'], statistic: string, weights: Float32Array): string =>
  b.node('MatMul', [statistic, b.constant(tensorF32([weights.length, 1], weights))]);

export function linear(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  checkWeights(tensor, weights, pooling.channels);
  const score = b.node('Add', [product(b, pooled(b, tensor, pooling), weights), b.f32(bias)]);
  const slope = levelSlope(c, row(b, weights), pooling);
  return { tensor, gradient: repeated(b, slope, tensor, pooling), value: signed(c, score) };
}

export function projection(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const direction = c.input(target, 'float32', [BATCH, pooling.channels]);
  const value = times(b, rowSum(b, times(b, pooled(b, tensor, pooling), direction)), flat(b, c.sign()));
  const slope = levelSlope(c, direction, pooling);
  return { tensor, gradient: repeated(b, slope, tensor, pooling), value };
}

/**
 * The gradient of sign (level . mean + spread . deviation), weights [1, C] or [N, C] each: d mean = 1 / S,
 * d deviation = (x - mean) / (S deviation), S positions.
 */
function textureSlope(c: TermContext, of: Texture, level: string, spread: string, pooling: Pooling): string {
  const b = c.builder;
  const share = times(b, times(b, spread, b.f32(1 / pooling.positions)), c.sign());
  const swing = alongPositions(b, b.node('Div', [share, of.deviation]), pooling);
  return b.node('Add', [times(b, of.centred, swing), levelSlope(c, level, pooling)]);
}

export function texture(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels } = pooling;
  checkWeights(tensor, weights, 2 * channels);
  const [level, spread] = [weights.slice(0, channels), weights.slice(channels)];
  const found = textureOf(b, tensor, pooling);
  const sum = b.node('Add', [product(b, found.mean, level), product(b, found.deviation, spread)]);
  const gradient = textureSlope(c, found, row(b, level), row(b, spread), pooling);
  return { tensor, gradient, value: signed(c, b.node('Add', [sum, b.f32(bias)])) };
}

export function textureProjection(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels } = pooling;
  const direction = c.input(target, 'float32', [BATCH, 2 * channels]);
  const [level, spread] = b.nodes(
    'Split',
    [direction, b.i64([channels, channels])],
    { axis: 1 },
    ['level', 'spread'].map((half) => b.fresh(`${target}.${half}`)),
  );
  const found = textureOf(b, tensor, pooling);
  const sum = b.node('Add', [times(b, found.mean, level), times(b, found.deviation, spread)]);
  const gradient = textureSlope(c, found, level, spread, pooling);
  return { tensor, gradient, value: times(b, rowSum(b, sum), flat(b, c.sign())) };
}

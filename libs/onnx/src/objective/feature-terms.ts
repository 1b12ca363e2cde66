/** Terms on maps and features. */
import { tensorF32 } from '../builder.js';
import { ModelError } from '../errors.js';
import { BATCH } from './frame.js';
import { alongPositions, pooled, poolingOf, repeated, textureOf } from './pooled.js';
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

/** sign (row sums of `weighted` + bias), as [N]. */
function signed(c: TermContext, scores: readonly string[], bias: number): string {
  const b = c.builder;
  const sum = scores.reduce((a, score) => b.node('Add', [a, score]));
  return flat(b, times(b, b.node('Add', [sum, b.f32(bias)]), c.sign()));
}

export function linear(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels, positions } = pooling;
  checkWeights(tensor, weights, channels);
  const score = b.node('MatMul', [pooled(b, tensor, pooling), b.constant(tensorF32([channels, 1], weights))]);
  const slope = tensorF32(
    [1, channels],
    weights.map((w) => w / positions),
  );
  const gradient = alongPositions(b, times(b, b.constant(slope), c.sign()), pooling);
  return { tensor, gradient: repeated(b, gradient, tensor, pooling), value: signed(c, [score], bias) };
}

/** d mean = 1 / S, d deviation = (x - mean) / (S deviation), S positions. */
export function texture(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels, positions } = pooling;
  checkWeights(tensor, weights, 2 * channels);
  const halves = [weights.slice(0, channels), weights.slice(channels)];
  const { mean, deviation, centred } = textureOf(b, tensor, pooling);
  const scores = [mean, deviation].map((statistic, i) =>
    b.node('MatMul', [statistic, b.constant(tensorF32([channels, 1], halves[i]))]),
  );
  const [level, spread] = halves.map((half) =>
    times(
      b,
      b.constant(
        tensorF32(
          [1, channels],
          half.map((w) => w / positions),
        ),
      ),
      c.sign(),
    ),
  );
  const swing = alongPositions(b, b.node('Div', [spread, deviation]), pooling);
  const gradient = b.node('Add', [times(b, centred, swing), alongPositions(b, level, pooling)]);
  return { tensor, gradient, value: signed(c, scores, bias) };
}

/** Gradients of normalisations, whose statistics come from the tensor itself or, in BatchNormalization, are given. */
import { tensorF32 } from '../builder.js';
import type { Dim } from '../graph.js';
import { inBlocks, scaleChannels } from './blocked.js';
import type { Rule, RuleContext } from './rule.js';
import { range, reshape, sumTo } from './tensors.js';

/** [C] laid out along the channels of a tensor [N, C, ...]. */
const alongChannels = (c: RuleContext, perChannel: string, rank: number): string => {
  const channels = c.size(perChannel, 0);
  return reshape(c.builder, perChannel, [channels], [channels, ...range(rank - 2).map(() => 1)]);
};

/** In evaluation it multiplies every channel by scale / sqrt(variance + epsilon). */
export function batchNormInputGradient(c: RuleContext): string {
  const b = c.builder;
  const [x, factor, , , variance] = c.inputs;
  const rank = c.dims(x).length;
  const epsilon = c.float('epsilon', 1e-5);
  const [known, spread] = [c.constant(factor), c.constant(variance)];
  if (known && spread) {
    const slope = Float32Array.from(
      known.data as Float32Array,
      (value, i) => value / Math.sqrt(Number(spread.data[i]) + epsilon),
    );
    if (rank === 4 && inBlocks(slope.length)) return scaleChannels(b, c.gradient, slope);
    return c.emit('Mul', [
      c.gradient,
      b.constant(tensorF32([slope.length, ...range(rank - 2).map(() => 1)], slope)),
    ]);
  }
  const deviation = c.emit('Sqrt', [c.emit('Add', [variance, b.f32(epsilon)])]);
  const slope = b.node('Div', [factor, deviation]);
  const channels = c.size(factor, 0);
  const shaped = reshape(b, slope, [channels], [channels, ...range(rank - 2).map(() => 1)]);
  return c.emit('Mul', [c.gradient, shaped]);
}

const batchNormalization: Rule = (c) => {
  if (c.int('training_mode', 0) === 1) c.refuse('it normalises by the statistics of the batch');
  if (c.wanted.slice(1).some(Boolean)) c.refuse('its parameters must not depend on what is differentiated');
  return [batchNormInputGradient(c)];
};

/**
 * y = scale xhat + bias with xhat = (x - mean) / sd, both over `axes`:
 * dx = (h - mean(h) - xhat mean(h xhat)) / sd with h = scale g; dscale = sum(g xhat), dbias = sum(g).
 */
function normalised(
  c: RuleContext,
  axes: readonly number[],
  scaleDims: readonly Dim[],
  factor: string,
): readonly (string | undefined)[] {
  const b = c.builder;
  const [x, given, bias] = c.inputs;
  const over = b.i64(axes);
  const mean = (tensor: string): string => c.emit('ReduceMean', [tensor, over], { keepdims: 1 });
  const centred = c.emit('Sub', [x, mean(x)]);
  const variance = mean(c.emit('Mul', [centred, centred]));
  const sd = c.emit('Sqrt', [c.emit('Add', [variance, b.f32(c.float('epsilon', 1e-5))])]);
  const xhat = c.emit('Div', [centred, sd]);
  const parameter = (gradient: string, input: string): string =>
    reshape(b, sumTo(b, gradient, c.dims(x), scaleDims), scaleDims, c.dims(input));
  const inputGradient = (): string => {
    const h = c.emit('Mul', [c.gradient, factor]);
    const along = c.emit('Mul', [xhat, mean(c.emit('Mul', [h, xhat]))]);
    return c.emit('Div', [c.emit('Sub', [c.emit('Sub', [h, mean(h)]), along]), sd]);
  };
  return [
    c.wanted[0] ? inputGradient() : undefined,
    c.wanted[1] ? parameter(c.emit('Mul', [c.gradient, xhat]), given) : undefined,
    c.wanted[2] ? parameter(c.gradient, bias) : undefined,
  ];
}

/** Per sample and channel, over the spatial axes. */
const instanceNormalization: Rule = (c) => {
  const [x, factor] = c.inputs;
  const rank = c.dims(x).length;
  const dims = [c.size(factor, 0), ...range(rank - 2).map(() => 1)];
  return normalised(c, range(rank).slice(2), dims, alongChannels(c, factor, rank));
};

/**
 * The same where the node gives out mean and 1 / sd. With d = x - mean: dx = h / sd - d mean(h d) / sd^3 - mean(h) / sd;
 * everything of one number per row is worked out apart, so that five passes over the tensor remain.
 */
function byStatistics(c: RuleContext, axes: readonly number[], factor: string): string {
  const [x] = c.inputs;
  const [, mean, inverse] = c.node.outputs;
  const average = (tensor: string): string =>
    c.emit('ReduceMean', [tensor, c.builder.i64(axes)], { keepdims: 1 });
  const h = c.emit('Mul', [c.gradient, factor]);
  const centred = c.emit('Sub', [x, mean]);
  const covariance = average(c.emit('Mul', [h, centred]));
  const cubed = c.emit('Mul', [inverse, c.emit('Mul', [inverse, inverse])]);
  const along = c.emit('Mul', [centred, c.emit('Mul', [covariance, cubed])]);
  const shifted = c.emit('Sub', [c.emit('Mul', [h, inverse]), along]);
  return c.emit('Sub', [shifted, c.emit('Mul', [average(h), inverse])]);
}

/** From `axis` to the last one. */
const layerNormalization: Rule = (c) => {
  const [x, factor] = c.inputs;
  const rank = c.dims(x).length;
  const onlyInput = !c.wanted[1] && !c.wanted[2];
  if (onlyInput && c.node.outputs.length === 3 && c.node.outputs.every((name) => name !== ''))
    return [byStatistics(c, range(rank).slice(c.axis('axis', -1, rank)), factor)];
  return normalised(c, range(rank).slice(c.axis('axis', -1, rank)), c.dims(factor), factor);
};

export const NORMALISATION_RULES: Readonly<Record<string, Rule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
};

/** Pooled features and texture statistics of a tensor, and their gradients. */
import type { GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim, Shapes } from '../graph.js';

/** Added to a channel's variance before its root, as in the definition of the texture statistic. */
const TEXTURE_EPSILON = 1e-5;

export interface Pooling {
  /** Axes that the mean is taken over; empty for [N, C]. */
  readonly axes: readonly number[];
  readonly channels: number;
  /** Number of positions. */
  readonly positions: number;
  /** The dims of [N, C] statistics laid along the tensor: 0 for the batch, 1 for pooled axes. */
  readonly along: readonly number[];
}

/** [N, C, H, W] is pooled over H and W, [N, T, C] over T, [N, C] not at all. */
export function poolingOf(shapes: Shapes, tensor: string): Pooling {
  const dims: readonly Dim[] = shapes.get(tensor)?.dims ?? [];
  const axes = dims.length === 4 ? [2, 3] : dims.length === 3 ? [1] : [];
  const fixed = dims.slice(1).map(Number);
  const [batch] = dims;
  if (
    dims.length < 2 ||
    dims.length > 4 ||
    typeof batch === 'number' ||
    batch.perSample !== 1 ||
    fixed.some(Number.isNaN)
  )
    throw new ModelError('unsupported', 'is no feature: neither [N, C], [N, T, C] nor [N, C, H, W]', tensor);
  const channels = fixed[dims.length === 3 ? 1 : 0];
  return {
    axes,
    channels,
    positions: fixed.reduce((a, b) => a * b, 1) / channels,
    along: dims.map((_, axis) => (axis === 0 ? 0 : axes.includes(axis) ? 1 : channels)),
  };
}

/** [N, C]. */
export const pooled = (b: GraphBuilder, tensor: string, { axes }: Pooling): string =>
  axes.length === 0 ? tensor : b.node('ReduceMean', [tensor, b.i64(axes)], { keepdims: 0 });

/** [N, C] or [1, C] as a tensor that broadcasts along the positions. */
export const alongPositions = (b: GraphBuilder, perChannel: string, { axes, along }: Pooling): string =>
  axes.length === 0 ? perChannel : b.node('Reshape', [perChannel, b.i64(along)]);

/** A gradient per channel, repeated along the positions to the shape of `tensor`. */
export const repeated = (b: GraphBuilder, gradient: string, tensor: string, { axes }: Pooling): string =>
  axes.length === 0 ? gradient : b.node('Expand', [gradient, b.node('Shape', [tensor])]);

export interface Texture {
  /** [N, C]. */
  readonly mean: string;
  /** [N, C]: sqrt(variance + 1e-5), of the population. */
  readonly deviation: string;
  /** The tensor less its channels' means. */
  readonly centred: string;
}

export function textureOf(b: GraphBuilder, tensor: string, pooling: Pooling): Texture {
  if (pooling.axes.length === 0)
    throw new ModelError('unsupported', 'has no spatial axes and therefore no texture', tensor);
  const mean = pooled(b, tensor, pooling);
  const centred = b.node('Sub', [tensor, alongPositions(b, mean, pooling)]);
  const variance = pooled(b, b.node('Mul', [centred, centred]), pooling);
  return { mean, centred, deviation: b.node('Sqrt', [b.node('Add', [variance, b.f32(TEXTURE_EPSILON)])]) };
}

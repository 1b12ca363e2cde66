/** Normalisation by stored, per-image or per-position statistics, in TensorFlow's primitives: all differentiable. */
import { axisOf, type Call, type Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';
import type { Value } from '../value.js';

/** Shape of a per-channel vector beside a tensor in the layout given. */
export const channelShape = (value: Value): number[] =>
  value.layout === 'channelsLast' ? [-1] : [-1, ...Array<number>(Math.max(0, value.rank - 2)).fill(1)];

/** (x - mean) * scale / sqrt(variance + epsilon) + shift, all per channel. */
export function normalise(
  tf: TF,
  x: TfTensor,
  shape: number[],
  epsilon: number,
  [scale, shift, mean, variance]: readonly TfTensor[],
): TfTensor {
  const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
  const perChannel = (vector: TfTensor): TfTensor => tf.reshape(vector, shape);
  return tf.add(tf.mul(tf.sub(x, perChannel(mean)), perChannel(factor)), perChannel(shift));
}

function batchNormalization(call: Call): Value {
  if (call.int('training_mode', 0) === 1)
    call.refuse('is in training mode, which belongs to a training step and not to a model');
  const value = call.value(0);
  const statistics = [1, 2, 3, 4].map((i) => call.input(i));
  const epsilon = call.float('epsilon', 1e-5);
  return call.made(
    normalise(call.tf, value.in(value.layout), channelShape(value), epsilon, statistics),
    value.layout,
  );
}

/** Statistics per image and channel. */
function instanceNormalization(call: Call): Value {
  const { tf } = call;
  const value = call.value(0);
  const x = value.in(value.layout);
  const axes =
    value.layout === 'channelsLast' ? [1, 2] : Array.from({ length: value.rank - 2 }, (_, i) => i + 2);
  const shape = channelShape(value);
  const { mean, variance } = tf.moments(x, axes, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, call.float('epsilon', 1e-5))));
  return call.made(
    tf.add(tf.mul(normal, tf.reshape(call.input(1), shape)), tf.reshape(call.input(2), shape)),
    value.layout,
  );
}

/** Also gives the mean and the inverse standard deviation, as ONNX has them. */
function layerNormalization(call: Call): TfTensor[] {
  const { tf } = call;
  const x = call.input(0);
  const first = axisOf(call.int('axis', -1), x.rank);
  const axes = Array.from({ length: x.rank - first }, (_, i) => first + i);
  const { mean, variance } = tf.moments(x, axes, true);
  const inverse = tf.rsqrt(tf.add(variance, call.float('epsilon', 1e-5)));
  const scaled = tf.mul(tf.mul(tf.sub(x, mean), inverse), call.input(1));
  const shift = call.optional(2);
  return [shift ? tf.add(scaled, shift) : scaled, mean, inverse];
}

export const NORMALIZATION: Operators = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
};

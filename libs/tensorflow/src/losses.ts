/** Losses per sample, as both attacks and training use them. */
import type { TF, TfTensor } from './tf.js';

/** Axes of one sample: all but the first. */
const sampleAxes = (x: TfTensor): number[] => x.shape.slice(1).map((_, i) => i + 1);

/** The mean over everything but N; [N]. */
export const sampleMean = (tf: TF, x: TfTensor): TfTensor => (x.rank === 1 ? x : tf.mean(x, sampleAxes(x)));

/** Logits [N, K] against class indices [N]; [N]. */
export function crossEntropy(tf: TF, logits: TfTensor, target: TfTensor): TfTensor {
  const [, classes]: number[] = logits.shape;
  const oneHot = tf.oneHot(tf.cast(target, 'int32'), classes);
  return tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), 1));
}

/** Logits against targets in [0,1] of their shape, the mean over everything but N; [N]. */
export const binaryCrossEntropy = (tf: TF, logits: TfTensor, target: TfTensor): TfTensor =>
  sampleMean(tf, tf.sub(tf.softplus(logits), tf.mul(logits, target)));

/** The mean over everything but N; [N]. */
export const squaredError = (tf: TF, output: TfTensor, target: TfTensor): TfTensor =>
  sampleMean(tf, tf.square(tf.sub(output, target)));

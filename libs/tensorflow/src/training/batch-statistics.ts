/**
 * BatchNormalization as training needs it: with the mean and variance of the batch, and running moments that move
 * towards them by 1 - momentum, the variance's unbiased as in PyTorch.
 */
import type { Operator } from '../call.js';
import { channelShape, normalise } from '../operators/normalization.js';
import type { TfTensor } from '../tf.js';

/**
 * The operator that stands in for BatchNormalization.
 * @param moved receives the next running moments by the name of their initializer; it must keep them
 */
export const batchStatistics =
  (moved: (running: string, next: TfTensor) => void): Operator =>
  (call) => {
    const { tf } = call;
    const value = call.value(0);
    const x = value.in(value.layout);
    const channels = value.layout === 'channelsLast' ? x.rank - 1 : 1;
    const axes = x.shape.map((_, i) => i).filter((axis) => axis !== channels);
    const { mean, variance } = tf.moments(x, axes);
    const count = x.size / mean.size;
    const kept = call.float('momentum', 0.9);
    const move = (index: number, batch: TfTensor): void =>
      moved(call.node.inputs[index], tf.add(tf.mul(call.input(index), kept), tf.mul(batch, 1 - kept)));
    move(3, mean);
    move(4, tf.mul(variance, count / Math.max(1, count - 1)));
    const statistics = [call.input(1), call.input(2), mean, variance];
    return call.made(
      normalise(tf, x, channelShape(value), call.float('epsilon', 1e-5), statistics),
      value.layout,
    );
  };

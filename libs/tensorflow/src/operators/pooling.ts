/** Pooling over height and width, on NHWC. */
import type { Call, Operators } from '../call.js';
import type { TF, TfTensor, TfTensor4D } from '../tf.js';
import type { Value } from '../value.js';
import { padMap, windowsOf, type Pair, type Windows } from './windows.js';

const padsAndBeyond = ({ pads, beyond }: Windows): [Pair, Pair] => [
  [pads[0][0], pads[0][1] + beyond[0]],
  [pads[1][0], pads[1][1] + beyond[1]],
];

function windowsOfPool(call: Call, x: TfTensor): Windows {
  const windows = windowsOf(call, x);
  if (windows.dilations[0] !== 1 || windows.dilations[1] !== 1)
    call.refuse('with dilations has no gradient in TensorFlow.js');
  return windows;
}

function maxPool(call: Call): Value {
  const { tf } = call;
  if ((call.node.outputs[1] ?? '') !== '') call.refuse('has an output of indices, which has no rule');
  const x = call.featureMap(0);
  const windows = windowsOfPool(call, x);
  const padded = padMap(tf, x, padsAndBeyond(windows), -Infinity);
  const y = tf.maxPool(padded as TfTensor4D, [...windows.kernel], [...windows.strides], 'valid');
  return call.made(y, 'channelsLast');
}

const average = (tf: TF, x: TfTensor, { kernel, strides }: Windows): TfTensor =>
  tf.avgPool(x as TfTensor4D, [...kernel], [...strides], 'valid');

/** The mean over what counts of each window: the mean over all of it, over the fraction that counts. */
function averagePool(call: Call): Value {
  const { tf } = call;
  const x = call.featureMap(0);
  const windows = windowsOfPool(call, x);
  const countsPads = call.int('count_include_pad', 0) === 1;
  const sums = average(tf, padMap(tf, x, padsAndBeyond(windows)), windows);
  const [, height, width]: number[] = x.shape;
  const ones = tf.ones([1, height, width, 1]);
  const none: [Pair, Pair] = [
    [0, 0],
    [0, 0],
  ];
  const counted = padMap(tf, ones, countsPads ? windows.pads : none, 1);
  const rest: Windows = countsPads ? { ...windows, pads: none } : windows;
  const fraction = average(tf, padMap(tf, counted, padsAndBeyond(rest)), windows);
  return call.made(tf.div(sums, fraction), 'channelsLast');
}

/** Over all axes behind the channels, whatever their number. */
const globally =
  (reduce: (tf: TF, x: TfTensor, axes: number[]) => TfTensor) =>
  (call: Call): Value => {
    const value = call.value(0);
    const layout = value.layout;
    const axes = layout === 'channelsLast' ? [1, 2] : Array.from({ length: value.rank - 2 }, (_, i) => i + 2);
    return call.made(reduce(call.tf, value.in(layout), axes), layout);
  };

export const POOLING: Operators = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globally((tf, x, axes) => tf.mean(x, axes, true)),
  GlobalMaxPool: globally((tf, x, axes) => tf.max(x, axes, true)),
};

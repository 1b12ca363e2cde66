/** Convolutions over height and width, on NHWC. Filters come as OIHW and go as HWIO. */
import type { Call, Operators } from '../call.js';
import type { TF, TfTensor, TfTensor4D } from '../tf.js';
import type { Value } from '../value.js';
import { padMap, windowsOf, type Pair, type Windows } from './windows.js';

/**
 * Writes zeros between the taps of a filter (HWIO). TensorFlow.js has no gradient for a dilated convolution, so it
 * becomes an ordinary one.
 */
function dilate(tf: TF, filter: TfTensor, dilations: Pair): TfTensor {
  const [rows, columns, inputs, outputs]: number[] = filter.shape;
  const [down, across] = dilations;
  if (down === 1 && across === 1) return filter;
  const spread = tf.pad(tf.reshape(filter, [rows, 1, columns, 1, inputs * outputs]), [
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, across - 1],
    [0, 0],
  ]);
  return tf.slice(
    tf.reshape(spread, [rows * down, columns * across, inputs, outputs]),
    [0, 0, 0, 0],
    [(rows - 1) * down + 1, (columns - 1) * across + 1, inputs, outputs],
  );
}

const withBias = (tf: TF, y: TfTensor, bias: TfTensor | undefined): TfTensor => (bias ? tf.add(y, bias) : y);

/** Applies a convolution to each group of channels and joins the results. */
function byGroup(
  tf: TF,
  x: TfTensor,
  filter: TfTensor,
  groups: number,
  convolve: (x: TfTensor, filter: TfTensor) => TfTensor,
): TfTensor {
  if (groups === 1) return convolve(x, filter);
  const maps = tf.split(x, groups, 3);
  const filters = tf.split(filter, groups, 3);
  return tf.concat(
    maps.map((map, i) => convolve(map, filters[i])),
    3,
  );
}

function convolution(
  tf: TF,
  x: TfTensor,
  filter: TfTensor,
  { strides, pads }: Windows,
  groups: number,
): TfTensor {
  const padded = padMap(tf, x, pads);
  const [, , , channels]: number[] = x.shape;
  const [rows, columns, perGroup, outputs]: number[] = filter.shape;
  // TensorFlow's depthwise kernels want equal strides.
  if (groups === channels && perGroup === 1 && groups > 1 && strides[0] === strides[1]) {
    const depthwise = tf.reshape(filter, [rows, columns, channels, outputs / channels]) as TfTensor4D;
    return tf.depthwiseConv2d(padded as TfTensor4D, depthwise, [strides[0], strides[1]], 'valid');
  }
  return byGroup(tf, padded, filter, groups, (map, part) =>
    tf.conv2d(map as TfTensor4D, part as TfTensor4D, [strides[0], strides[1]], 'valid'),
  );
}

function conv(call: Call): Value {
  const { tf } = call;
  const x = call.featureMap(0);
  const filter = tf.transpose(call.input(1), [2, 3, 1, 0]);
  const windows = windowsOf(call, x, filter.shape);
  const dilated = dilate(tf, filter, windows.dilations);
  const y = convolution(tf, x, dilated, windows, call.int('group', 1));
  return call.made(withBias(tf, y, call.optional(2)), 'channelsLast');
}

/** The transposed convolution: what a convolution's gradient does to its input. */
function convTranspose(call: Call): Value {
  const { tf } = call;
  if (call.string('auto_pad', 'NOTSET') !== 'NOTSET' || call.ints('output_shape'))
    call.refuse('is known with explicit pads only, not with auto_pad or output_shape');
  const x = call.featureMap(0);
  // CMHW to HWMC: TensorFlow's transposed filter has its outputs third.
  const filter = tf.transpose(call.input(1), [2, 3, 1, 0]);
  const { strides, pads, dilations } = windowsOf(call, x, filter.shape);
  const [more, further] = call.ints('output_padding') ?? [0, 0];
  const y = byGroup(tf, x, dilate(tf, filter, dilations), call.int('group', 1), (map, part) => {
    const [rows, columns, outputs]: number[] = part.shape;
    const [batch, height, width]: number[] = map.shape;
    const shape: [number, number, number, number] = [
      batch,
      (height - 1) * strides[0] + rows,
      (width - 1) * strides[1] + columns,
      outputs,
    ];
    return tf.conv2dTranspose(
      map as TfTensor4D,
      part as TfTensor4D,
      shape,
      [strides[0], strides[1]],
      'valid',
    );
  });
  const [[top, bottom], [left, right]] = pads;
  const fitted = padMap(tf, y, [
    [-top, more - bottom],
    [-left, further - right],
  ]);
  return call.made(withBias(tf, fitted, call.optional(2)), 'channelsLast');
}

export const CONVOLUTION: Operators = { Conv: conv, ConvTranspose: convTranspose };

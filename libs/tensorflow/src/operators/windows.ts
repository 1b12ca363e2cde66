/** Sliding windows over height and width: their padding, which TensorFlow cannot be trusted with (see below). */
import type { Call } from '../call.js';
import type { TF, TfTensor } from '../tf.js';

/** Height, then width. */
export type Pair = readonly [number, number];

/**
 * Padding is always done by `tf.pad` before a 'valid' window: TensorFlow's convolution throws on explicit padding
 * and its 'same' at stride 2 pads other sides than ONNX does.
 */
export interface Windows {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Before and after, for height and width: what the model asks for. */
  readonly pads: readonly [Pair, Pair];
  /** What `ceil_mode` reads beyond the end, which counts in no average. */
  readonly beyond: Pair;
}

const pair = (values: readonly number[] | undefined): Pair => [values?.[0] ?? 1, values?.[1] ?? 1];

/** Windows of a node over an NHWC feature map. `kernel` is given where it is not an attribute. */
export function windowsOf(call: Call, x: TfTensor, kernel?: readonly number[]): Windows {
  const [, height, width]: number[] = x.shape;
  const window = pair(kernel ?? call.ints('kernel_shape'));
  const strides = pair(call.ints('strides'));
  const dilations = pair(call.ints('dilations'));
  const given = call.ints('pads') ?? [0, 0, 0, 0];
  const autoPad = call.string('auto_pad', 'NOTSET');
  const along = (axis: 0 | 1): { pads: Pair; beyond: number } => {
    const size = axis === 0 ? height : width;
    const reach = (window[axis] - 1) * dilations[axis] + 1;
    const stride = strides[axis];
    if (autoPad.startsWith('SAME')) {
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
      const less = Math.floor(total / 2);
      return { pads: autoPad === 'SAME_UPPER' ? [less, total - less] : [total - less, less], beyond: 0 };
    }
    const pads: Pair = autoPad === 'VALID' ? [0, 0] : [given[axis], given[axis + 2]];
    if (call.int('ceil_mode', 0) === 0) return { pads, beyond: 0 };
    const room = size + pads[0] + pads[1];
    let windows = Math.ceil((room - reach) / stride) + 1;
    // A window that would start in the padding behind the end is left out.
    if ((windows - 1) * stride >= size + pads[0]) windows--;
    return { pads, beyond: Math.max(0, (windows - 1) * stride + reach - room) };
  };
  const [rows, columns] = [along(0), along(1)];
  return {
    kernel: window,
    strides,
    dilations,
    pads: [rows.pads, columns.pads],
    beyond: [rows.beyond, columns.beyond],
  };
}

/** Pads an NHWC feature map; negative amounts crop it. */
export function padMap(tf: TF, x: TfTensor, pads: readonly [Pair, Pair], value = 0): TfTensor {
  const [[top, bottom], [left, right]] = pads;
  const [, height, width]: number[] = x.shape;
  const cropped =
    Math.min(top, bottom, left, right) < 0
      ? tf.slice(
          x,
          [0, Math.max(0, -top), Math.max(0, -left), 0],
          [
            -1,
            height - Math.max(0, -top) - Math.max(0, -bottom),
            width - Math.max(0, -left) - Math.max(0, -right),
            -1,
          ],
        )
      : x;
  if (Math.max(top, bottom, left, right) <= 0) return cropped;
  const more = (amount: number): number => Math.max(0, amount);
  return tf.pad(
    cropped,
    [
      [0, 0],
      [more(top), more(bottom)],
      [more(left), more(right)],
      [0, 0],
    ],
    value,
  );
}

/** Taking parts of tensors and putting them together. */
import { axisOf, type Call, type Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';
import type { Value } from '../value.js';

/** `length` elements along one axis. */
function cut(tf: TF, x: TfTensor, axis: number, start: number, length: number): TfTensor {
  const begin = x.shape.map((_, i) => (i === axis ? start : 0));
  const size = x.shape.map((full, i) => (i === axis ? length : full));
  return tf.slice(x, begin, size);
}

/** NHWC has its channels last; everything else is where ONNX says. */
const CHANNELS_LAST_AXIS = [0, 3, 1, 2];

function concat(call: Call): Value {
  const values = call.inputs.map((_, i) => call.value(i));
  const axis = axisOf(call.int('axis', 0), values[0].rank);
  const layout = values.every((value) => value.layout === 'channelsLast') ? 'channelsLast' : 'plain';
  const place = layout === 'channelsLast' ? CHANNELS_LAST_AXIS[axis] : axis;
  return call.made(
    call.tf.concat(
      values.map((value) => value.in(layout)),
      place,
    ),
    layout,
  );
}

function split(call: Call): TfTensor[] {
  const x = call.input(0);
  const axis = axisOf(call.int('axis', 0), x.rank);
  const parts = call.node.outputs.length;
  const most = Math.ceil(x.shape[axis] / parts);
  const sizes =
    call.integers(1) ??
    call.ints('split') ??
    Array.from({ length: parts }, (_, i) => (i < parts - 1 ? most : x.shape[axis] - most * (parts - 1)));
  return call.tf.split(x, sizes, axis);
}

/** Every `step`th element along an axis from the first one. TensorFlow.js has no gradient for strided slices. */
function everyOther(tf: TF, x: TfTensor, axis: number, step: number): TfTensor {
  const count = Math.ceil(x.shape[axis] / step);
  const missing = count * step - x.shape[axis];
  const full = tf.pad(
    x,
    x.shape.map((_, i) => [0, i === axis ? missing : 0]),
  );
  const grouped = tf.reshape(full, [...x.shape.slice(0, axis), count, step, ...x.shape.slice(axis + 1)]);
  return tf.reshape(
    cut(tf, grouped, axis + 1, 0, 1),
    x.shape.map((size, i) => (i === axis ? count : size)),
  );
}

function sliceAxis(tf: TF, x: TfTensor, axis: number, start: number, end: number, step: number): TfTensor {
  const size = x.shape[axis];
  const within = (at: number, low: number, high: number): number =>
    Math.min(high, Math.max(low, at < 0 ? at + size : at));
  if (step > 0) {
    const from = within(start, 0, size);
    const part = cut(tf, x, axis, from, Math.max(0, within(end, 0, size) - from));
    return step === 1 || part.size === 0 ? part : everyOther(tf, part, axis, step);
  }
  const from = within(start, 0, size - 1);
  const to = within(end, -1, size - 1);
  const part = tf.reverse(cut(tf, x, axis, to + 1, Math.max(0, from - to)), axis);
  return step === -1 || part.size === 0 ? part : everyOther(tf, part, axis, -step);
}

function slice(call: Call): TfTensor {
  const x = call.input(0);
  const starts = call.integers(1) ?? call.ints('starts') ?? call.refuse('needs starts');
  const ends = call.integers(2) ?? call.ints('ends') ?? call.refuse('needs ends');
  const axes = call.axes(3) ?? starts.map((_, i) => i);
  const steps = call.integers(4) ?? starts.map(() => 1);
  return axes.reduce(
    (y, axis, i) => sliceAxis(call.tf, y, axisOf(axis, x.rank), starts[i], ends[i], steps[i]),
    x,
  );
}

function gather(call: Call): TfTensor {
  const { tf } = call;
  const x = call.input(0);
  const axis = axisOf(call.int('axis', 0), x.rank);
  const indices = call.input(1);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (indices.size === 1) {
    const [index] = call.integers(1)!;
    return tf.reshape(cut(tf, x, axis, axisOf(index, x.shape[axis]), 1), shape);
  }
  const flat = tf.reshape(tf.cast(indices, 'int32'), [-1]);
  const fromFront = tf.add(
    flat,
    tf.mul(tf.cast(tf.less(flat, 0), 'int32'), tf.scalar(x.shape[axis], 'int32')),
  );
  return tf.reshape(tf.gather(x, fromFront, axis), shape);
}

/** Which element of the old axis stands at a place of the new one. */
const PLACES: Readonly<Record<string, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(size - 1, Math.max(0, at)),
  wrap: (at, size) => ((at % size) + size) % size,
  reflect: (at, size) => {
    if (size === 1) return 0;
    const period = 2 * (size - 1);
    const inside = ((at % period) + period) % period;
    return inside < size ? inside : period - inside;
  },
};

/** By `tf.gather`: the gradient of TensorFlow.js' own `mirrorPad` drops what was reflected. */
function padByPlace(call: Call, x: TfTensor, pads: readonly (readonly [number, number])[]): TfTensor {
  const { tf } = call;
  const mode = call.string('mode', 'constant');
  const place = PLACES[mode] ?? call.refuse(`in mode ${mode} has no rule`);
  return pads.reduce((y, [before, after], axis) => {
    if (before === 0 && after === 0) return y;
    const size = y.shape[axis];
    const places = Array.from({ length: size + before + after }, (_, i) => place(i - before, size));
    return tf.gather(y, tf.tensor1d(places, 'int32'), axis);
  }, x);
}

function pad(call: Call): TfTensor {
  const { tf } = call;
  const x = call.input(0);
  const amounts = call.integers(1) ?? call.ints('pads') ?? call.refuse('needs pads');
  const axes = (call.integers(3) ?? x.shape.map((_, i) => i)).map((axis) => axisOf(axis, x.rank));
  const pads: [number, number][] = x.shape.map(() => [0, 0]);
  axes.forEach((axis, i) => (pads[axis] = [amounts[i], amounts[i + axes.length]]));
  const cropped = pads.reduce(
    (y, [before, after], axis) =>
      before >= 0 && after >= 0
        ? y
        : cut(tf, y, axis, Math.max(0, -before), y.shape[axis] - Math.max(0, -before) - Math.max(0, -after)),
    x,
  );
  const grown = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  if (call.string('mode', 'constant') !== 'constant') return padByPlace(call, cropped, grown);
  return tf.pad(cropped, grown, call.optional(2)?.dataSync()[0] ?? call.float('value', 0));
}

export const INDEXING: Operators = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
};

/** Operators that move elements without changing them, and those that make shapes. */
import { axisOf, type Call, type Operators } from '../call.js';
import { tensorOf } from '../constants.js';
import type { DataType, TfTensor } from '../tf.js';
import type { Value } from '../value.js';
import { broadcastShape, broadcastTo } from './broadcast.js';

function reshape(call: Call): TfTensor {
  const x = call.input(0);
  const wanted = call.integers(1) ?? call.refuse('needs a shape');
  const keepsZero = call.int('allowzero', 0) === 1;
  return call.tf.reshape(
    x,
    wanted.map((size, i) => (size === 0 && !keepsZero ? x.shape[i] : size)),
  );
}

function flatten(call: Call): TfTensor {
  const x = call.input(0);
  const axis = axisOf(call.int('axis', 1), x.rank);
  const rows = x.shape.slice(0, axis).reduce((product, size) => product * size, 1);
  return call.tf.reshape(x, [rows, x.size / rows]);
}

function squeeze(call: Call): TfTensor {
  const x = call.input(0);
  const axes = call.axes(1)?.map((axis) => axisOf(axis, x.rank));
  return call.tf.reshape(
    x,
    x.shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
  );
}

function unsqueeze(call: Call): TfTensor {
  const x = call.input(0);
  const axes = call.axes(1) ?? call.refuse('needs axes');
  const rank = x.rank + axes.length;
  const inserted = new Set(axes.map((axis) => axisOf(axis, rank)));
  const sizes = [...x.shape];
  return call.tf.reshape(
    x,
    Array.from({ length: rank }, (_, i) => (inserted.has(i) ? 1 : sizes.shift()!)),
  );
}

function expand(call: Call): TfTensor {
  const x = call.input(0);
  const shape = call.integers(1) ?? call.refuse('needs a shape');
  return broadcastTo(call.tf, x, broadcastShape(x.shape, shape));
}

function tile(call: Call): TfTensor {
  const { tf } = call;
  const repeats = call.integers(1) ?? call.refuse('needs repeats');
  // One axis at a time, since TensorFlow differentiates tiles by one slice per copy.
  return repeats.reduce(
    (x, times, axis) => (times === 1 ? x : tf.concat(Array<TfTensor>(times).fill(x), axis)),
    call.input(0),
  );
}

/** NCHW blocks of channels to blocks of pixels. */
function depthToSpace(call: Call): TfTensor {
  const { tf } = call;
  const x = call.input(0);
  const [n, channels, height, width] = x.shape;
  const block = call.int('blocksize', 1);
  const rest = channels / (block * block);
  const columnRowDepth = call.string('mode', 'DCR') === 'CRD';
  const split = columnRowDepth
    ? tf.transpose(tf.reshape(x, [n, rest, block, block, height, width]), [0, 1, 4, 2, 5, 3])
    : tf.transpose(tf.reshape(x, [n, block, block, rest, height, width]), [0, 3, 4, 1, 5, 2]);
  return tf.reshape(split, [n, rest, height * block, width * block]);
}

function spaceToDepth(call: Call): TfTensor {
  const { tf } = call;
  const x = call.input(0);
  const [n, channels, height, width] = x.shape;
  const block = call.int('blocksize', 1);
  const blocks = tf.reshape(x, [n, channels, height / block, block, width / block, block]);
  return tf.reshape(tf.transpose(blocks, [0, 3, 5, 1, 2, 4]), [
    n,
    channels * block * block,
    height / block,
    width / block,
  ]);
}

/** ONNX element type numbers that TensorFlow.js can hold; float64 and int64 in 32 bits. */
const ELEMENT_TYPES: Readonly<Record<number, DataType>> = {
  1: 'float32',
  6: 'int32',
  7: 'int32',
  9: 'bool',
  11: 'float32',
};

function cast(call: Call): Value {
  const to = call.int('to', 0);
  const type = ELEMENT_TYPES[to] ?? call.refuse(`to element type ${to} has no rule`);
  return call.pointwise((x) => call.tf.cast(x, type));
}

function constant(call: Call): TfTensor {
  const { tf, node } = call;
  const value = node.attributes['value'] ? call.tensor('value') : undefined;
  if (value) return tensorOf(tf, value, node.name);
  if (node.attributes['value_float']) return tf.scalar(call.float('value_float', 0), 'float32');
  if (node.attributes['value_int']) return tf.scalar(call.int('value_int', 0), 'int32');
  const integers = call.ints('value_ints');
  return integers ? tf.tensor1d(integers, 'int32') : call.refuse('has a value that has no rule');
}

function constantOfShape(call: Call): TfTensor {
  const { tf } = call;
  const shape = call.integers(0) ?? call.refuse('needs a shape');
  const value = call.tensor('value');
  if (!value) return tf.zeros(shape, 'float32');
  return broadcastTo(tf, tf.reshape(tensorOf(tf, value, call.node.name), []), shape);
}

function shapeOf(call: Call): TfTensor {
  const { shape } = call.input(0);
  const end = call.node.attributes['end'] ? call.int('end', 0) : undefined;
  return call.tf.tensor1d(shape.slice(call.int('start', 0), end), 'int32');
}

function range(call: Call): TfTensor {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.input(i).dataSync()[0]);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const values = Array.from({ length: count }, (_, i) => start + i * delta);
  return call.tf.tensor1d(values, call.input(0).dtype as 'float32' | 'int32');
}

export const SHAPE: Operators = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: (call) => {
    const x = call.input(0);
    return call.tf.transpose(x, call.ints('perm') ?? x.shape.map((_, i) => x.rank - 1 - i));
  },
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Cast: cast,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Range: range,
};

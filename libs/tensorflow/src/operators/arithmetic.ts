/** Functions of several numbers, broadcast as in NumPy; comparisons, and the choice between two tensors. */
import type { Call, Operator, Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';
import type { Layout } from '../value.js';
import { broadcastShape, broadcastTo } from './broadcast.js';

/** NHWC where it saves a transpose and broadcasting means the same there. */
function commonLayout(call: Call): Layout {
  const values = call.inputs.map((_, i) => call.value(i));
  const movable = values.every((value) => value.rank === 4 || value.rank === 0);
  return movable && values.some((value) => value.rank === 4 && value.layout === 'channelsLast')
    ? 'channelsLast'
    : 'plain';
}

const inLayout = (call: Call, index: number, layout: Layout): TfTensor => {
  const value = call.value(index);
  return value.rank === 4 ? value.in(layout) : value.plain;
};

const folded =
  (apply: (tf: TF, a: TfTensor, b: TfTensor) => TfTensor): Operator =>
  (call) => {
    const layout = commonLayout(call);
    const tensors = call.inputs.map((_, i) => inLayout(call, i, layout));
    return call.made(
      tensors.reduce((a, b) => apply(call.tf, a, b)),
      layout,
    );
  };

/** For those of TensorFlow's gradients that forget broadcasting. */
const onEqualShapes =
  (apply: (tf: TF, a: TfTensor, b: TfTensor) => TfTensor) =>
  (tf: TF, a: TfTensor, b: TfTensor): TfTensor => {
    const shape = broadcastShape(a.shape, b.shape);
    return apply(tf, broadcastTo(tf, a, shape), broadcastTo(tf, b, shape));
  };

/** ONNX truncates quotients of integers. */
function divide(tf: TF, a: TfTensor, b: TfTensor): TfTensor {
  if (a.dtype !== 'int32') return tf.div(a, b);
  return tf.cast(tf.div(tf.cast(a, 'float32'), tf.cast(b, 'float32')), 'int32');
}

function where(call: Call): TfTensor {
  const { tf } = call;
  const [condition, a, b] = [call.input(0), call.input(1), call.input(2)];
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
  return tf.where(
    broadcastTo(tf, tf.cast(condition, 'bool'), shape),
    broadcastTo(tf, a, shape),
    broadcastTo(tf, b, shape),
  );
}

const mean: Operator = (call) => {
  const sum = folded((tf, a, b) => tf.add(a, b))(call) as ReturnType<Call['made']>;
  return call.made(call.tf.div(sum.in(sum.layout), call.inputs.length), sum.layout);
};

/** The sign of the divisor, as TensorFlow has it; C's `fmod` has the other one. */
const mod: Operator = (call) =>
  call.int('fmod', 0) === 1 ? call.refuse('with fmod has no rule') : folded((tf, a, b) => tf.mod(a, b))(call);

export const ARITHMETIC: Operators = {
  Add: folded((tf, a, b) => tf.add(a, b)),
  Sub: folded((tf, a, b) => tf.sub(a, b)),
  Mul: folded((tf, a, b) => tf.mul(a, b)),
  Div: folded(divide),
  Pow: folded((tf, a, b) => tf.pow(a, tf.cast(b, a.dtype))),
  Mod: mod,
  Min: folded(onEqualShapes((tf, a, b) => tf.minimum(a, b))),
  Max: folded(onEqualShapes((tf, a, b) => tf.maximum(a, b))),
  Sum: folded((tf, a, b) => tf.add(a, b)),
  Mean: mean,
  Equal: folded((tf, a, b) => tf.equal(a, b)),
  Greater: folded((tf, a, b) => tf.greater(a, b)),
  GreaterOrEqual: folded((tf, a, b) => tf.greaterEqual(a, b)),
  Less: folded((tf, a, b) => tf.less(a, b)),
  LessOrEqual: folded((tf, a, b) => tf.lessEqual(a, b)),
  And: folded((tf, a, b) => tf.logicalAnd(a, b)),
  Or: folded((tf, a, b) => tf.logicalOr(a, b)),
  Not: (call) => call.pointwise((x) => call.tf.logicalNot(x)),
  Where: where,
};

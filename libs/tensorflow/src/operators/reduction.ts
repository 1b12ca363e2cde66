/** Reductions over axes, and the functions that normalise along one. */
import { axisOf, type Call, type Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';

const reduction =
  (apply: (tf: TF, x: TfTensor, axes: number[], keep: boolean) => TfTensor) =>
  (call: Call): TfTensor => {
    const x = call.input(0);
    const given = call.axes(1) ?? [];
    if (given.length === 0 && call.int('noop_with_empty_axes', 0) === 1) return call.tf.clone(x);
    const axes = given.length === 0 ? x.shape.map((_, i) => i) : given.map((axis) => axisOf(axis, x.rank));
    return apply(call.tf, x, axes, call.int('keepdims', 1) === 1);
  };

/** TensorFlow's softmax takes the last axis only. */
const alongAxis =
  (apply: (tf: TF, x: TfTensor) => TfTensor) =>
  (call: Call): TfTensor => {
    const { tf } = call;
    const x = call.input(0);
    const axis = axisOf(call.int('axis', -1), x.rank);
    const last = x.rank - 1;
    if (axis === last) return apply(tf, x);
    const swap = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
    return tf.transpose(apply(tf, tf.transpose(x, swap)), swap);
  };

export const REDUCTION: Operators = {
  ReduceMean: reduction((tf, x, axes, keep) => tf.mean(x, axes, keep)),
  ReduceSum: reduction((tf, x, axes, keep) => tf.sum(x, axes, keep)),
  ReduceMax: reduction((tf, x, axes, keep) => tf.max(x, axes, keep)),
  ReduceMin: reduction((tf, x, axes, keep) => tf.min(x, axes, keep)),
  ReduceL2: reduction((tf, x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep))),
  ReduceSumSquare: reduction((tf, x, axes, keep) => tf.sum(tf.square(x), axes, keep)),
  Softmax: alongAxis((tf, x) => tf.softmax(x)),
  LogSoftmax: alongAxis((tf, x) => tf.logSoftmax(x)),
};

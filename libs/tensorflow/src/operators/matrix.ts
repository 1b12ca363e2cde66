/** Matrix products. */
import type { Call, Operators } from '../call.js';
import type { TfTensor } from '../tf.js';
import { broadcastShape, broadcastTo } from './broadcast.js';

function matMul(call: Call): TfTensor {
  const { tf } = call;
  const [first, second] = [call.input(0), call.input(1)];
  const a = first.rank === 1 ? tf.reshape(first, [1, -1]) : first;
  const b = second.rank === 1 ? tf.reshape(second, [-1, 1]) : second;
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape[b.rank - 1];
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const product =
    b.rank === 2
      ? tf.matMul(tf.reshape(a, [-1, inner]), b)
      : tf.matMul(
          tf.reshape(broadcastTo(tf, a, [...batch, rows, inner]), [-1, rows, inner]),
          tf.reshape(broadcastTo(tf, b, [...batch, inner, columns]), [-1, inner, columns]),
        );
  return tf.reshape(product, [
    ...batch,
    ...(first.rank === 1 ? [] : [rows]),
    ...(second.rank === 1 ? [] : [columns]),
  ]);
}

function gemm(call: Call): TfTensor {
  const { tf } = call;
  const product = tf.matMul(
    call.input(0),
    call.input(1),
    call.int('transA', 0) === 1,
    call.int('transB', 0) === 1,
  );
  const alpha = call.float('alpha', 1);
  const scaled = alpha === 1 ? product : tf.mul(product, alpha);
  const c = call.optional(2);
  if (!c) return scaled;
  const beta = call.float('beta', 1);
  return tf.add(scaled, beta === 1 ? c : tf.mul(c, beta));
}

export const MATRIX: Operators = { MatMul: matMul, Gemm: gemm };

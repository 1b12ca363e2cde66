/** ONNX constants as TensorFlow tensors. 64-bit integers become 32-bit ones, the only ones that TensorFlow.js has. */
import { ModelError, type Graph, type Tensor } from '@facet/onnx';
import type { TF, TfTensor } from './tf.js';

const INT32_MAX = 2147483647;

/** "To the end" is written as the largest 64-bit integer; every size here fits into 32 bits. */
const clamp = (value: bigint): number =>
  value > BigInt(INT32_MAX) ? INT32_MAX : value < BigInt(-INT32_MAX) ? -INT32_MAX : Number(value);

/** The integers of a small constant: axes, shapes, pads. */
export const integersOf = (tensor: Tensor): number[] =>
  tensor.type === 'int64' || tensor.type === 'uint64'
    ? Array.from(tensor.data as BigInt64Array | BigUint64Array, clamp)
    : Array.from(tensor.data as ArrayLike<number>);

/**
 * A constant as a tensor; float64 loses its excess precision.
 * @throws ModelError `unsupported` for strings and for half floats, which TensorFlow.js does not have
 */
export function tensorOf(tf: TF, tensor: Tensor, where: string): TfTensor {
  const dims = [...tensor.dims];
  switch (tensor.type) {
    case 'float32':
    case 'float64':
      return tf.tensor(Float32Array.from(tensor.data as Float32Array | Float64Array), dims, 'float32');
    case 'bool':
      return tf.tensor(Uint8Array.from(tensor.data as Uint8Array), dims, 'bool');
    case 'string':
    case 'float16':
    case 'bfloat16':
      throw new ModelError('unsupported', `TensorFlow.js has no element type ${tensor.type}`, where);
    default:
      return tf.tensor(Int32Array.from(integersOf(tensor)), dims, 'int32');
  }
}

/**
 * The graph's floating-point initializers on the device, to be fed to many runs of {@link execute}. The caller
 * disposes them.
 */
export function uploadInitializers(tf: TF, graph: Graph): Record<string, TfTensor> {
  const uploaded: Record<string, TfTensor> = {};
  for (const [name, tensor] of graph.initializers)
    if (tensor.type === 'float32' || tensor.type === 'float64')
      uploaded[name] = tf.keep(tensorOf(tf, tensor, name));
  return uploaded;
}

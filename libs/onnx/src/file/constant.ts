/** Constant nodes as initializers: one kind of constant is enough for everything that stands on the view. */
import { ModelError } from '../errors.js';
import type { Node, Tensor } from '../graph.js';

/** The value of a Constant node; undefined for any other node. */
export function constantOf(node: Node, where: string): Tensor | undefined {
  if (node.op !== 'Constant' || node.domain !== '') return undefined;
  const [[name, value] = [], ...more] = Object.entries(node.attributes);
  if (value === undefined || more.length > 0)
    throw new ModelError('invalid', 'holds not exactly one value', where);
  switch (`${name}:${value.kind}`) {
    case 'value:tensor':
      return value.value as Tensor;
    case 'value_float:float':
      return { type: 'float32', dims: [], data: Float32Array.of(value.value as number) };
    case 'value_floats:floats': {
      const data = Float32Array.from(value.value as readonly number[]);
      return { type: 'float32', dims: [data.length], data };
    }
    case 'value_int:int':
      return { type: 'int64', dims: [], data: BigInt64Array.of(value.value as bigint) };
    case 'value_ints:ints': {
      const data = BigInt64Array.from(value.value as readonly bigint[]);
      return { type: 'int64', dims: [data.length], data };
    }
    default:
      throw new ModelError('unsupported', `holds '${name}' of kind ${value.kind}`, where);
  }
}

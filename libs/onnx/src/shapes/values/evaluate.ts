/**
 * Computes a node whose inputs are known: the integer arithmetic behind shapes, and what of the weights folds.
 * Operators that are missing here are simply not known; Conv, MatMul and the quantised ones are left to the runtime.
 */
import type { TensorInfo } from '../../graph.js';
import { isFixed } from '../dims.js';
import type { Site } from '../site.js';
import * as arithmetic from './arithmetic.js';
import { BINARY, UNARY } from './entry.js';
import * as making from './making.js';
import * as moving from './moving.js';
import type { Value } from './value.js';

const EVALUATORS: ReadonlyMap<string, arithmetic.Evaluator> = new Map([
  ...Object.keys(BINARY).map((op): [string, arithmetic.Evaluator] => [op, arithmetic.binary]),
  ...Object.keys(UNARY).map((op): [string, arithmetic.Evaluator] => [op, arithmetic.unary]),
  ...Object.entries({
    Cast: arithmetic.cast,
    Where: arithmetic.where,
    ReduceMax: arithmetic.reduce,
    ReduceMean: arithmetic.reduce,
    ReduceMin: arithmetic.reduce,
    ReduceProd: arithmetic.reduce,
    ReduceSum: arithmetic.reduce,

    Concat: moving.joined,
    Expand: moving.expanded,
    Flatten: moving.reshaped,
    Gather: moving.gathered,
    Pad: moving.padded,
    Reshape: moving.reshaped,
    ScatterND: moving.scattered,
    Slice: moving.sliced,
    Squeeze: moving.reshaped,
    Tile: moving.tiled,
    Transpose: moving.transposed,
    Unsqueeze: moving.reshaped,

    Constant: making.constant,
    ConstantOfShape: making.filled,
    Range: making.range,
    Shape: making.shape,
    Size: making.size,
  }),
]);

/** Values of the node's outputs as far as they are known; undefined where none is. */
export function evaluate(
  at: Site,
  outputs: readonly TensorInfo[],
): readonly (Value | undefined)[] | undefined {
  if (at.node.domain !== '' && at.node.domain !== 'ai.onnx') return undefined;
  if (outputs.some(({ dims }) => !dims.every(isFixed))) return undefined;
  if (at.node.op === 'Split') return moving.parts(at, outputs);
  return [EVALUATORS.get(at.node.op)?.(at, outputs)];
}

/** What a graph costs: arithmetic operations per sample, and parameters. */
import type { Dim, Graph, Node, Shapes } from '../graph.js';
import { elementsAt } from '../shapes/dims.js';

/** They move or rename elements; nothing is computed. */
const FREE: ReadonlySet<string> = new Set(
  (
    'Cast Concat Constant ConstantOfShape DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND ' +
    'Identity Pad Reshape ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose ' +
    'Unsqueeze'
  ).split(' '),
);

const POOLS: ReadonlySet<string> = new Set(['MaxPool', 'AveragePool', 'LpPool']);

/** A product over all its letters. */
function einsumFlops(node: Node, shapes: Shapes): number {
  const equation = node.attributes['equation'];
  const terms =
    equation?.kind === 'string' ? equation.value.replaceAll(' ', '').split('->')[0].split(',') : [];
  const sizes = new Map(
    terms.flatMap((term, index) =>
      [...term].map((letter, axis): [string, Dim] => [
        letter,
        shapes.get(node.inputs[index])?.dims[axis] ?? 1,
      ]),
    ),
  );
  return 2 * elementsAt([...sizes.values()]);
}

function flopsOf(node: Node, shapes: Shapes): number {
  const dims = (index: number) => shapes.get(node.inputs[index])?.dims ?? [];
  const out = elementsAt(shapes.get(node.outputs[0])?.dims ?? []);
  const perFilter = (weight: number) => elementsAt(dims(weight).slice(1));
  switch (node.op) {
    case 'Conv':
    case 'ConvInteger':
      return 2 * out * perFilter(1);
    case 'QLinearConv':
      return 2 * out * perFilter(3);
    case 'ConvTranspose':
      return 2 * elementsAt(dims(0)) * perFilter(1);
    case 'Gemm': {
      const transposed = node.attributes['transA'];
      return 2 * out * elementsAt([dims(0)[transposed?.kind === 'int' && transposed.value !== 0n ? 0 : 1]]);
    }
    case 'MatMul':
    case 'MatMulInteger':
    case 'QLinearMatMul':
      return 2 * out * elementsAt(dims(0).slice(-1));
    case 'Einsum':
      return einsumFlops(node, shapes);
    default:
      break;
  }
  if (FREE.has(node.op)) return 0;
  if (POOLS.has(node.op)) {
    const kernel = node.attributes['kernel_shape'];
    return out * (kernel?.kind === 'ints' ? elementsAt(kernel.value.map(Number)) : 1);
  }
  return node.op.startsWith('Reduce') || node.op.startsWith('Global') ? elementsAt(dims(0)) : out;
}

/**
 * Floating-point operations for one sample: two for a multiplication with its addition, one per element of
 * everything else that computes. Transcendental functions count as one.
 */
export const flops = (graph: Graph, shapes: Shapes): number =>
  graph.nodes.reduce((total, node) => total + flopsOf(node, shapes), 0);

/** Elements of all initializers but shapes, indices and flags (int64 and bool). */
export function parameterCount(graph: Graph): number {
  let count = 0;
  for (const { type, data } of graph.initializers.values())
    if (type !== 'int64' && type !== 'bool') count += data.length;
  return count;
}

/**
 * Whether samples stay apart. A batch is only a batch if no operator computes across it; that cannot be seen
 * at a batch of 1, so it is proven on shapes whose batch N is open.
 */
import { ModelError } from '../../errors.js';
import type { Dim, Node, Shapes } from '../../graph.js';
import { isFixed } from '../../shapes/dims.js';
import { nodeAt } from '../where.js';
import { before } from './reshape.js';

/** They keep the shape, and compute along an axis: its attribute's default, and whether all behind it count. */
const ALONG_AXIS: Readonly<Record<string, { readonly axis: number; readonly onwards?: true }>> = {
  GatherElements: { axis: 0 },
  Hardmax: { axis: -1 },
  LayerNormalization: { axis: -1, onwards: true },
  LogSoftmax: { axis: -1 },
  LpNormalization: { axis: -1 },
  ScatterElements: { axis: 0 },
  Softmax: { axis: -1 },
};
const MOVES_BLOCKS: ReadonlySet<string> = new Set(['Flatten', 'Reshape']);
const READS_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);
/** No rule is known for what they do along the batch. */
const REFUSED: ReadonlySet<string> = new Set(['CumSum', 'MeanVarianceNormalization', 'ReverseSequence']);

/** @throws ModelError 'unsupported' naming the first node that computes across the batch. */
export function refuseMixing(nodes: readonly Node[], shapes: Shapes): void {
  for (const node of nodes) {
    if (READS_SHAPES.has(node.op)) continue;
    const dimsOf = (names: readonly string[]) =>
      names.flatMap((name) => (name === '' ? [] : [shapes.get(name)?.dims ?? []]));
    const inputs = dimsOf(node.inputs);
    if (inputs.some(grows) && mixes(node, inputs, dimsOf(node.outputs)))
      throw new ModelError(
        'unsupported',
        'computes across the batch, so samples cannot be batched; run them one by one',
        nodeAt({ name: node.name, opType: node.op, output: [...node.outputs] }),
      );
  }
}

const grows = (dims: readonly Dim[]): boolean => dims.some((dim) => !isFixed(dim));

function mixes(
  node: Node,
  inputs: readonly (readonly Dim[])[],
  outputs: readonly (readonly Dim[])[],
): boolean {
  if (REFUSED.has(node.op)) return true;
  if (!outputs.every(grows)) return true;
  if (MOVES_BLOCKS.has(node.op)) return before(inputs[0]) !== before(outputs[0]);
  const factors = new Set(inputs.map(factor));
  if (!outputs.every((dims) => factors.has(factor(dims)))) return true;
  const training = node.attributes['training_mode'];
  if (training?.kind === 'int' && training.value !== 0n) return true;
  const along = ALONG_AXIS[node.op];
  if (along === undefined) return false;
  const [dims] = inputs;
  const given = node.attributes['axis'];
  const axis = given?.kind === 'int' ? Number(given.value) : along.axis;
  const from = axis < 0 ? axis + dims.length : axis;
  return grows(dims.slice(from, along.onwards ? undefined : from + 1));
}

/** How many times the batch a tensor's rows are; parts of a batch joined or split change it. */
const factor = (dims: readonly Dim[]): number | undefined => {
  const dim = dims.find((d) => !isFixed(d));
  return dim === undefined || isFixed(dim) ? undefined : dim.perSample;
};

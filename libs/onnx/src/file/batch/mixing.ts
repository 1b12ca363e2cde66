/**
 * Whether samples stay apart. A batch is only a batch if no operator computes across it; that cannot be seen
 * at a batch of 1, so it is proven on shapes whose batch N is open.
 */
import { ModelError } from '../../errors.js';
import type { Dim, Graph, Node, Shapes } from '../../graph.js';
import { isFixed } from '../../shapes/dims.js';
import { nodeAt } from '../where.js';
import { before, outerAfter } from './reshape.js';

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
const RESHAPES: ReadonlySet<string> = new Set(['Flatten', 'Reshape']);
/** No rule is known for what they do along the batch. */
const REFUSED: ReadonlySet<string> = new Set(['CumSum', 'MeanVarianceNormalization', 'ReverseSequence']);
/** One scale for all that is quantised together: in a batch a sample's integers depend on its neighbours. */
const QUANTISES_TOGETHER: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul']);
/** What these compute is about the batch, not about its samples. */
export const READS_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);

/**
 * Whether a sample's results depend on what it is batched with, because tensors are quantised dynamically. Such a
 * model runs in batches, and means what its file says only at a batch of 1.
 *
 * @param shapes of the graph at an open batch
 */
export const mixesSamples = ({ nodes }: Graph, shapes: Shapes): boolean =>
  nodes.some(
    ({ op, inputs }) =>
      QUANTISES_TOGETHER.has(op) && (shapes.get(inputs[0])?.dims ?? []).some((dim) => !isFixed(dim)),
  );

/**
 * Follows the batch through the nodes. Dynamic quantisation counts as apart; {@link mixesSamples} tells of it.
 *
 * @returns for each tensor that grows with the batch, how many elements before the batch share its axis: 1
 *   where a sample's rows stand together.
 * @throws ModelError 'unsupported' naming the first node that computes across the batch.
 */
export function followBatch(nodes: readonly Node[], shapes: Shapes): ReadonlyMap<string, number> {
  const outers = new Map<string, number>();
  for (const node of nodes) {
    if (READS_SHAPES.has(node.op)) continue;
    const read = (names: readonly string[]): Operand[] =>
      names
        .filter((name) => name !== '')
        .map((name) => ({ dims: shapes.get(name)?.dims ?? [], outer: outers.get(name) ?? 1 }));
    const inputs = read(node.inputs);
    if (!inputs.some(grows)) continue;
    // Scale and zero point are nobody's samples.
    const made = QUANTISES_TOGETHER.has(node.op) ? node.outputs.slice(0, 1) : node.outputs;
    const outer = apart(node, inputs, read(made));
    if (outer === undefined)
      throw new ModelError(
        'unsupported',
        'computes across the batch, so samples cannot be batched; run them one by one',
        nodeAt({ name: node.name, opType: node.op, output: [...node.outputs] }),
      );
    for (const name of made) outers.set(name, outer);
  }
  return outers;
}

interface Operand {
  readonly dims: readonly Dim[];
  readonly outer: number;
}

const grows = ({ dims }: Operand): boolean => dims.some((dim) => !isFixed(dim));

/** What shares the batch's axis in the outputs; undefined where samples meet. */
function apart(node: Node, inputs: readonly Operand[], outputs: readonly Operand[]): number | undefined {
  if (REFUSED.has(node.op) || !outputs.every(grows)) return undefined;
  if (RESHAPES.has(node.op)) return outerAfter(outputs[0].dims, before(inputs[0].dims, inputs[0].outer));
  const growing = inputs.filter(grows);
  const [{ outer }] = growing;
  if (growing.some((input) => input.outer !== outer)) return undefined;
  const factors = new Set(growing.map(factor));
  if (!outputs.every((output) => factors.has(factor(output)))) return undefined;
  const training = node.attributes['training_mode'];
  if (training?.kind === 'int' && training.value !== 0n) return undefined;
  return alongBatch(node, inputs[0]) ? undefined : outer;
}

/** How many times the batch an axis is; parts of a batch joined or split change it. */
function factor({ dims }: Operand): number {
  const dim = dims.find((candidate) => !isFixed(candidate)) ?? 0;
  return isFixed(dim) ? dim : dim.perSample;
}

function alongBatch(node: Node, { dims, outer }: Operand): boolean {
  const along = ALONG_AXIS[node.op];
  if (along === undefined) return false;
  const given = node.attributes['axis'];
  const axis = given?.kind === 'int' ? Number(given.value) : along.axis;
  const from = axis < 0 ? axis + dims.length : axis;
  return grows({ dims: dims.slice(from, along.onwards ? undefined : from + 1), outer });
}

/** Which tensor decides, and what its numbers are, as far as a graph shows it. */
import type { ModelOutput } from '@facet/contracts';
import { type ElementType, ModelError, type Node, type PreparedModel, producers } from '@facet/onnx';

/** They hand their input's values on as they are. */
const PASSING: ReadonlySet<string> = new Set([
  'Identity',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Cast',
]);

/** The operator that computes a tensor's values. */
function maker(made: ReadonlyMap<string, Node>, tensor: string): Node | undefined {
  const node = made.get(tensor);
  return node !== undefined && PASSING.has(node.op) ? (maker(made, node.inputs[0]) ?? node) : node;
}

/** What decisions and features are computed in. */
export const FLOATS: ReadonlySet<ElementType> = new Set(['float32', 'float16', 'bfloat16']);

const ON_CLASSES = 'must be [N, classes], one number per sample, or a map';

/**
 * What a tensor holds if it is a decision: probabilities behind a Softmax, a probability behind a Sigmoid, else logits;
 * a map where it has more than two axes.
 *
 * @param live the classes that count as live; of a single number, [1] says that it is high for live
 * @throws ModelError where it is no tensor of the model, or cannot be a decision
 */
export function decisionOf(
  { model, shapes }: PreparedModel,
  name: string,
  live: readonly number[],
): ModelOutput {
  const info = shapes.get(name);
  if (info === undefined) throw new ModelError('invalid', 'is not a tensor of the model', name);
  const [batch, ...sizes] = info.dims;
  if (!FLOATS.has(info.type)) throw new ModelError('unsupported', `is ${info.type}, not a float`, name);
  if (batch === undefined || typeof batch === 'number' || batch.perSample !== 1)
    throw new ModelError('unsupported', `${ON_CLASSES}, with the batch as its first axis`, name);
  const high = live.includes(1) ? 'live' : 'spoof';
  if (sizes.length > 1) return { kind: 'map', name, high };
  const op = maker(producers(model.graph), name)?.op;
  const [classes = 1] = sizes.map(Number);
  if (classes === 1) return { kind: op === 'Sigmoid' ? 'sigmoid' : 'logit', name, high };
  const kind = op === 'Softmax' || op === 'Sigmoid' ? 'probabilities' : 'logits';
  return { kind, name, classes, live: [...live] };
}

/** The output that decides: the first one that holds classes or one number, else the first map. */
export function decisionOutput(graph: PreparedModel, live: readonly number[]): ModelOutput {
  const { outputs } = graph.model.graph;
  const found: ModelOutput[] = [];
  let problem: unknown;
  for (const { name } of outputs) {
    try {
      found.push(decisionOf(graph, name, live));
    } catch (error) {
      problem ??= error;
    }
  }
  const decision = found.find(({ kind }) => kind !== 'map') ?? found.at(0);
  if (decision === undefined) throw problem;
  return decision;
}

/**
 * The same decision by the logits that a Softmax or Sigmoid makes it of, which say the same and do not saturate;
 * undefined where the graph does not hold them next to it.
 */
export function unsaturated({ model }: PreparedModel, output: ModelOutput): ModelOutput | undefined {
  if (output.kind !== 'probabilities' && output.kind !== 'sigmoid') return output;
  const made = producers(model.graph);
  let node = made.get(output.name);
  while (node?.op === 'Identity') node = made.get(node.inputs[0]);
  const axis = node?.attributes['axis'];
  const overClasses = axis?.kind !== 'int' || [1n, -1n].includes(axis.value);
  if (node === undefined || !overClasses) return undefined;
  const [name] = node.inputs;
  if (output.kind === 'probabilities' && node.op === 'Softmax') return { ...output, kind: 'logits', name };
  if (output.kind === 'sigmoid' && node.op === 'Sigmoid') return { ...output, kind: 'logit', name };
  return undefined;
}

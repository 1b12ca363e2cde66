/** Which of a model's initializers are learnt, and which follow the data. */
import { ModelError } from '../errors.js';
import type { Graph, Node, Shapes } from '../graph.js';

export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
}

export interface Weight extends Parameter {
  /** Whether weight decay applies: to matrices and kernels, not to biases and normalisations. */
  readonly decays: boolean;
}

export interface Parameters {
  readonly weights: readonly Weight[];
  /** Running means and variances of BatchNormalization. */
  readonly moments: readonly string[];
}

/** Inputs that hold weights, by operator, and those of them that decay. */
const LEARNT: Readonly<
  Record<string, { readonly inputs: readonly number[]; readonly decays: readonly number[] }>
> = {
  Conv: { inputs: [1, 2], decays: [1] },
  Gemm: { inputs: [0, 1, 2], decays: [0, 1] },
  MatMul: { inputs: [0, 1], decays: [0, 1] },
  BatchNormalization: { inputs: [1, 2], decays: [] },
  LayerNormalization: { inputs: [1, 2], decays: [] },
  InstanceNormalization: { inputs: [1, 2], decays: [] },
  PRelu: { inputs: [1], decays: [] },
  // A table that is looked up: embeddings, biases by position.
  Gather: { inputs: [0], decays: [] },
};

/**
 * Learnt are the initializers that those operators read as weights, and biases that are added to a matrix
 * product. Other constants, such as a mean that is subtracted from the pixels, stay as they are.
 */
export function parametersOf(graph: Graph, shapes: Shapes): Parameters {
  const weights = new Map<string, Weight>();
  const moments = new Set<string>();
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );

  const learn = (name: string, decays: boolean): void => {
    const tensor = graph.initializers.get(name);
    if (tensor?.type !== 'float32') return;
    const { dims } = tensor;
    // A weight that is used twice decays where one of its uses does.
    weights.set(name, { name, dims, decays: decays || (weights.get(name)?.decays ?? false) });
  };

  for (const node of graph.nodes) {
    const known = LEARNT[node.op];
    if (known !== undefined)
      for (const i of known.inputs) if (node.inputs[i]) learn(node.inputs[i], known.decays.includes(i));
    if (node.op === 'Add' && node.inputs.some((input) => makers.get(input)?.op === 'MatMul'))
      for (const input of node.inputs) if (shapes.get(input)?.dims.length === 1) learn(input, false);
    if (node.op === 'BatchNormalization') for (const name of momentsOf(graph, node)) moments.add(name);
  }
  return { weights: [...weights.values()], moments: [...moments] };
}

function momentsOf(graph: Graph, node: Node): readonly string[] {
  const names = node.inputs.slice(3, 5);
  for (const name of node.inputs.slice(1, 5))
    if (graph.initializers.get(name)?.type !== 'float32')
      throw new ModelError('unsupported', `"${name}" must be a float32 initializer`, node.name);
  return names;
}

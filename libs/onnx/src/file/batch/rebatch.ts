/**
 * Opens the batch of a model that was exported with a fixed one: most published models are, at 1, and attacking
 * image by image would cost several times as much.
 */
import { ModelError } from '../../errors.js';
import type { Graph, Model, Shapes, ValueInfo } from '../../graph.js';
import { dimText, isFixed } from '../../shapes/dims.js';
import { named } from '../where.js';
import { followBatch } from './mixing.js';
import { openSizes, shapesAt } from './open.js';

/** The name of the batch in models that are ours to run. */
const BATCH = 'N';

/**
 * The same model with axis 0 of its inputs named 'N', so that it takes any number of samples. Inputs need fixed
 * sizes along all other axes, and the model the operator set of {@link raiseOpset}. A model that names its batch
 * already is only renamed.
 *
 * @throws ModelError 'unsupported' naming the node that computes across samples, or whose constant sizes cannot
 *   follow the batch.
 */
export function rebatch(model: Model): Model {
  const { graph } = model;
  for (const { name, dims } of graph.inputs)
    if (dims.length === 0)
      throw new ModelError('unsupported', 'has no axis for the batch', named('input', name));
  const fixed = new Set<number>();
  for (const { dims } of graph.inputs) if (typeof dims[0] === 'number') fixed.add(dims[0]);
  const [batch, ...others] = fixed;
  if (batch === undefined) return { ...model, graph: renamed(graph) };
  if (others.length > 0)
    throw new ModelError('unsupported', `the inputs' batches differ: ${[...fixed].join()}`, 'graph');

  const inputs = graph.inputs.map((value) => ({ ...value, dims: [BATCH, ...value.dims.slice(1)] }));
  const opened = openSizes({ ...graph, inputs }, shapesAt(graph, batch), batch);
  const shapes = shapesAt(opened, 'open');
  const outers = followBatch(opened.nodes, shapes);
  for (const { name } of graph.outputs)
    if ((outers.get(name) ?? 1) > 1)
      throw new ModelError('unsupported', "a sample's rows do not stand together", named('output', name));
  return {
    ...model,
    graph: { ...opened, outputs: graph.outputs.map((value) => followed(value, shapes)) },
  };
}

const followed = (value: ValueInfo, shapes: Shapes): ValueInfo => ({
  ...value,
  dims: (shapes.get(value.name)?.dims ?? []).map((dim) => (isFixed(dim) ? dim : dimText(dim))),
});

/** Every axis that has the name of an input's batch. */
function renamed(graph: Graph): Graph {
  const names = new Set(graph.inputs.map(({ dims }) => dims[0]));
  const rename = (value: ValueInfo): ValueInfo => ({
    ...value,
    dims: value.dims.map((dim) => (names.has(dim) && typeof dim === 'string' ? BATCH : dim)),
  });
  return { ...graph, inputs: graph.inputs.map(rename), outputs: graph.outputs.map(rename) };
}

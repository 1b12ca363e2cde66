/**
 * A training step in blocks of channels. ONNX Runtime itself lays out only graphs whose convolutions have constant weights;
 * here the weights come in at every step, so the step names the runtime's operators on blocks and puts each kernel, which
 * is small, in order as it runs. What those operators do not know stays as it was, between reorderings.
 */
import type { Model } from '../../graph.js';
import { inferShapes } from '../../shapes/infer.js';
import { Layout, NCHWC } from './layout.js';
import { ON_BLOCKS } from './operators.js';

export { NCHWC } from './layout.js';

/**
 * The same step, up to rounding, for ONNX Runtime on a CPU.
 * @param block channels of a block there; a graph for another size computes nonsense, so it is asked of the runtime
 * @param batch samples of every run
 */
export function layInBlocks(model: Model, block: number, batch: number): Model {
  const { graph } = model;
  const open = graph.inputs.map(
    ({ name, dims }) =>
      [name, dims.map((dim) => (typeof dim === 'number' ? dim : { perSample: 1 }))] as const,
  );
  const layout = new Layout(graph, inferShapes(graph, new Map(open)), block, batch);
  for (const node of graph.nodes) {
    if (layout.isDone(node)) continue;
    const taken = node.domain === '' && (ON_BLOCKS.get(node.op)?.(layout, node) ?? false);
    if (!taken) layout.keep(node);
  }
  for (const { name } of graph.outputs) layout.plain(name);
  const laid = layout.b.build(graph.name);
  return {
    ...model,
    domains: new Map([...model.domains, [NCHWC, 1]]),
    graph: { ...graph, nodes: laid.nodes, initializers: laid.initializers },
  };
}

/**
 * A model without anything that its view does not say: no documentation, no metadata, no fields newer than our schema.
 * What a runtime gets to see is then only what was checked here.
 */
import type { AttributeValue, Model, Node } from '../graph.js';

/** Copies, since what a file says besides is kept beside the view's own objects; see rest.ts. */
const attributesOf = ({ attributes }: Node): Node['attributes'] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]): [string, AttributeValue] => [
      name,
      attribute.kind === 'tensor' ? { ...attribute, value: { ...attribute.value } } : { ...attribute },
    ]),
  );

export const bare = ({ irVersion, opset, domains, graph }: Model): Model => ({
  irVersion,
  opset,
  domains,
  producer: '',
  metadata: new Map(),
  graph: {
    name: graph.name,
    inputs: graph.inputs.map((value) => ({ ...value })),
    outputs: graph.outputs.map((value) => ({ ...value })),
    nodes: graph.nodes.map((node) => ({ ...node, attributes: attributesOf(node) })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, { ...tensor }])),
    ...(graph.stated && { stated: graph.stated.map((value) => ({ ...value })) }),
  },
});

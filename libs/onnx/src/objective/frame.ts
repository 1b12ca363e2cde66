/**
 * Puts an image's pixels in front of a model: the frame that objectives and features are built in. Tensors of the
 * model keep their names unless one of the frame's own inputs has it.
 */
import { GraphBuilder, tensorF32 } from '../builder.js';
import { ModelError } from '../errors.js';
import { elementCode } from '../file/tensor.js';
import type { Graph, Model, Shapes } from '../graph.js';
import type { PixelInput } from './spec.js';

/** A model whose shapes are known, as constant folding hands it over. */
export interface Prepared {
  readonly model: Model;
  readonly shapes: Shapes;
}

export interface Frame {
  /** Inputs `pixels` and `label`, then the model's nodes; no outputs yet. */
  readonly graph: Graph;
  readonly shapes: Shapes;
  /** The name that a tensor of the model has here. */
  readonly at: (tensor: string) => string;
}

/** Name of the batch axis in everything compiled here. */
export const BATCH = 'N';

/**
 * `reserved` are the names of the inputs and outputs of what is compiled; `fed` those of initializers that become
 * inputs, because they change from run to run.
 */
export function framed(
  prepared: Prepared,
  input: PixelInput,
  reserved: ReadonlySet<string>,
  fed: readonly string[] = [],
): Frame {
  const { model, shapes } = prepared;
  const others = model.graph.inputs.filter(({ name }) => name !== input.name);
  const dims = shapes.get(input.name)?.dims;
  if (others.length === model.graph.inputs.length || dims === undefined)
    throw new ModelError('invalid', 'is not an input of the model', input.name);
  if (others.length > 0)
    throw new ModelError('unsupported', 'a model may have one input, the image', others[0].name);
  const [batch, channels, height, width] = dims;
  if (dims.length !== 4 || typeof batch === 'number' || channels !== 3)
    throw new ModelError('unsupported', 'must be a batch of images with three channels', input.name);
  if (typeof height !== 'number' || typeof width !== 'number')
    throw new ModelError('unsupported', 'must have a fixed height and width', input.name);

  const at = (tensor: string): string => (reserved.has(tensor) ? `model/${tensor}` : tensor);
  const inner = renamed(model.graph, at);
  const b = new GraphBuilder({ ...inner, inputs: [], outputs: [] });
  const pixels = b.input('pixels', 'float32', [BATCH, 3, height, width]);
  const fedShapes = fed.map((name) => {
    const tensor = model.graph.initializers.get(name);
    if (tensor === undefined) throw new ModelError('invalid', 'is no weight of the model', name);
    if (reserved.has(name)) throw new ModelError('unsupported', 'is a name that Facet needs itself', name);
    b.input(name, tensor.type, tensor.dims);
    return [name, { type: tensor.type, dims: tensor.dims }] as const;
  });
  const swapped = input.swapRedBlue ? b.node('Gather', [pixels, b.i64([2, 1, 0])], { axis: 1 }) : pixels;
  const perChannel = (values: readonly number[]): string => b.constant(tensorF32([1, 3, 1, 1], values));
  const scaled = input.scale.every((s) => s === 1)
    ? swapped
    : b.node('Mul', [swapped, perChannel(input.scale)]);
  const moved = input.offset.every((o) => o === 0) ? [] : [perChannel(input.offset)];
  const { type } = shapes.get(input.name)!;
  if (type === 'float32')
    b.node(moved.length === 0 ? 'Identity' : 'Add', [scaled, ...moved], {}, at(input.name));
  else {
    const value = moved.length === 0 ? scaled : b.node('Add', [scaled, ...moved]);
    b.node('Cast', [value], { to: elementCode(type) }, at(input.name));
  }
  const built = b.build(inner.name);
  const initializers = new Map([...built.initializers].filter(([name]) => !fed.includes(name)));
  const graph = { ...built, initializers };
  const own = graph.nodes.slice(inner.nodes.length);
  const known = new Map([...shapes].map(([name, info]) => [at(name), info]));
  const image = { type: 'float32', dims } as const;
  for (const { outputs } of own)
    for (const output of outputs) if (!known.has(output)) known.set(output, image);
  known.set('pixels', image);
  for (const [name, info] of fedShapes) known.set(name, info);
  for (const [name, tensor] of graph.initializers)
    if (!known.has(name)) known.set(name, { type: tensor.type, dims: tensor.dims });
  return {
    graph: { ...graph, nodes: [...own, ...inner.nodes] },
    shapes: known,
    at,
  };
}

/** A model whose one input is `pixels` [N, 3, H, W] in [0,1], red-green-blue; its weights keep their names. */
export function inPixels(prepared: Prepared, input: PixelInput): Prepared {
  const { name, scale, offset, swapRedBlue } = input;
  const plain = scale.every((s) => s === 1) && offset.every((o) => o === 0) && !swapRedBlue;
  if (plain && name === 'pixels') return prepared;
  const { graph, shapes, at } = framed(prepared, input, new Set(['pixels']));
  const { initializers, outputs } = prepared.model.graph;
  if (initializers.has('pixels'))
    throw new ModelError('unsupported', 'is a name that Facet needs itself', 'pixels');
  const model = {
    ...prepared.model,
    graph: { ...graph, outputs: outputs.map((value) => ({ ...value, name: at(value.name) })) },
  };
  return { model, shapes };
}

function renamed(graph: Graph, at: (tensor: string) => string): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(at),
      outputs: node.outputs.map(at),
    })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [at(name), tensor])),
  };
}

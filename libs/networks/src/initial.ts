/**
 * Weights from elsewhere in a network of ours: by name, ours or torchvision's, or layer by layer from any ONNX model that
 * has the same ones in the same order. The trunk must be found whole; heads that are not found start as they are.
 */
import { type Graph, type Model, ModelError, type Node, type Tensor, tensorF32 } from '@facet/onnx';

/** Tensors by name, or a model. */
export type WeightSource = ReadonlyMap<string, Tensor> | Model;

/** Behind which published architectures have torchvision's names. */
const TRUNK = 'trunk.';

/** Of torchvision's ImageNet networks, in the order red, green, blue. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Inputs that are weights or running moments, by operator. */
const PARAMETERS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  Gemm: [1, 2],
  MatMul: [1],
  BatchNormalization: [1, 2, 3, 4],
  LayerNormalization: [1, 2],
  Add: [1],
  Gather: [0],
};

interface Layer {
  readonly node: Node;
  readonly names: readonly string[];
}

/** Nodes with initializers, in the order of the graph. */
const layersOf = ({ nodes, initializers }: Graph): Layer[] =>
  nodes.flatMap((node) => {
    const names = (PARAMETERS[node.op] ?? [])
      .map((index) => node.inputs[index] ?? '')
      .filter((name) => initializers.get(name)?.type === 'float32');
    return names.length === 0 ? [] : [{ node, names }];
  });

const same = (a: Tensor | undefined, b: Tensor): boolean => a?.dims.join() === b.dims.join();

/** Errors: ModelError naming the first weight of the trunk that is missing or of another shape. */
function byName(model: Model, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const { names } of layersOf(model.graph))
    for (const name of names) {
      const own = model.graph.initializers.get(name)!;
      const inTrunk = name.startsWith(TRUNK);
      const given = tensors.get(name) ?? (inTrunk ? tensors.get(name.slice(TRUNK.length)) : undefined);
      if (given !== undefined && same(given, own)) found.set(name, given);
      else if (inTrunk)
        throw new ModelError(
          'invalid',
          given === undefined
            ? 'is not among the initial weights'
            : `is [${given.dims.join()}] in the initial weights, and [${own.dims.join()}] in the network`,
          name,
        );
    }
  return found;
}

const epsilonOf = (node: Node): number => {
  const given = node.attributes['epsilon'];
  return given?.kind === 'float' ? given.value : 1e-5;
};

/**
 * Layer by layer. A BatchNormalization that the source has folded into the convolution before it becomes the identity
 * with that convolution's bias.
 */
function byLayer(model: Model, source: Model): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const theirs = layersOf(source.graph);
  let at = 0;
  let bias: Tensor | undefined;
  for (const { node, names } of layersOf(model.graph)) {
    const own = names.map((name) => model.graph.initializers.get(name)!);
    const inTrunk = names[0].startsWith(TRUNK);
    const candidate = theirs[at] as Layer | undefined;
    const given = candidate?.names.map((name) => source.graph.initializers.get(name)!);
    const fits =
      candidate?.node.op === node.op && own.every((tensor, i) => i > 0 || same(given?.[0], tensor));
    if (fits && given !== undefined) {
      names.forEach((name, i) => {
        if (i < given.length && same(given[i], own[i])) found.set(name, given[i]);
      });
      bias = node.op === 'Conv' && own.length === 1 ? given[1] : undefined;
      at++;
    } else if (node.op === 'BatchNormalization' && bias !== undefined && same(bias, own[0])) {
      const filled = (value: number): Tensor =>
        tensorF32(own[0].dims, own[0].data.length === 0 ? [] : Array<number>(own[0].data.length).fill(value));
      const identity = [filled(1), bias, filled(0), filled(1 - epsilonOf(node))];
      names.forEach((name, i) => found.set(name, identity[i]));
      bias = undefined;
    } else if (inTrunk)
      throw new ModelError(
        'invalid',
        `has no counterpart in the model of the initial weights, whose layer ${at + 1} is ` +
          (candidate === undefined ? 'none' : `${candidate.node.op} ${candidate.names[0]}`),
        names[0],
      );
    else break;
  }
  return found;
}

/**
 * What ImageNet networks do to pixels before the first convolution, moved into it: exact but at the zeros of its padding,
 * which stood for the mean colour there.
 */
function takePixels(model: Model, weights: Map<string, Tensor>): void {
  const { nodes, initializers } = model.graph;
  const first = nodes.find(({ op, inputs }) => op === 'Conv' && weights.has(inputs[1]));
  if (first === undefined)
    throw new ModelError('unsupported', 'the network has no convolution to prepare pixels in');
  const { dims, data } = weights.get(first.inputs[1])!;
  const [filters, channels, ...kernel] = dims;
  const taps = kernel.reduce((a, b) => a * b, 1);
  const scaled = new Float32Array(data.length);
  const shift = new Float64Array(filters);
  for (let i = 0; i < scaled.length; i++) {
    const channel = Math.floor(i / taps) % channels;
    scaled[i] = Number(data[i]) / IMAGENET.std[channel];
    shift[Math.floor(i / (taps * channels))] += scaled[i] * IMAGENET.mean[channel];
  }
  weights.set(first.inputs[1], tensorF32(dims, scaled));
  const reader = nodes.find(
    ({ op, inputs }) => op === 'BatchNormalization' && inputs[0] === first.outputs[0],
  );
  const place = (first.inputs[2] ?? '') !== '' ? first.inputs[2] : reader?.inputs[3];
  if (place === undefined)
    throw new ModelError('unsupported', 'has neither bias nor normalisation to take the mean', first.name);
  const sign = place === first.inputs[2] ? -1 : 1;
  const own = weights.get(place) ?? initializers.get(place)!;
  weights.set(
    place,
    tensorF32(
      own.dims,
      Float32Array.from(own.data as Float32Array, (value, i) => value + sign * shift[i]),
    ),
  );
}

/**
 * The network with weights from elsewhere.
 *
 * @param pixels how pixels were prepared for them
 * @throws ModelError naming the first weight of the trunk without a counterpart
 */
export function withInitialWeights(model: Model, source: WeightSource, pixels: 'unit' | 'imagenet'): Model {
  const found = 'graph' in source ? fromModel(model, source) : byName(model, source);
  if (pixels === 'imagenet') takePixels(model, found);
  const initializers = new Map(
    [...model.graph.initializers].map(([name, own]) => [name, found.get(name) ?? own]),
  );
  return { ...model, graph: { ...model.graph, initializers } };
}

/** By names where the model has ours, as every network that Facet published. */
function fromModel(model: Model, source: Model): Map<string, Tensor> {
  const { initializers } = source.graph;
  const ours = [...model.graph.initializers.keys()].filter(
    (name) => name.startsWith(TRUNK) && initializers.has(name),
  );
  return ours.length > 0 ? byName(model, initializers) : byLayer(model, source);
}

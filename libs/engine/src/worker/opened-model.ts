/**
 * A model opened in a worker: the file's own graph, which decides, and the prepared graph, which is
 * differentiated. Both speak pixels in [0,1].
 */
import {
  type Dim,
  GraphBuilder,
  inferShapes,
  mixesSamples,
  type Model,
  ModelError,
  prepare,
  type PreparedModel,
  raiseOpset,
  readModel,
  rebatch,
} from '@facet/onnx';
import { type FacetProbe, type ModelSource, probeTensor } from '../model-source.js';

export interface OpenedModel {
  /** The published graph with a free batch axis: decisions and features come from it. */
  readonly published: PreparedModel;
  /** The published graph computes across its batch: it means what its file says for one image at a time. */
  readonly oneByOne: boolean;
  /** Folded and in float32, with the probes' logits appended: gradients come from it. */
  readonly prepared: PreparedModel;
}

/** Tensors that the manifest speaks of, by the field that names them. */
function namedTensors({ manifest }: ModelSource): Map<string, string> {
  const named = new Map([['output.name', manifest.output.name]]);
  if (manifest.texture !== undefined) named.set('texture', manifest.texture);
  for (const [facet, { feature, head }] of Object.entries(manifest.facets)) {
    named.set(`facets.${facet}.feature`, feature);
    if (head !== undefined) named.set(`facets.${facet}.head.output`, head.output);
  }
  return named;
}

function appendProbes(prepared: PreparedModel, probes: readonly FacetProbe[]): Model {
  const builder = new GraphBuilder(prepared.model.graph);
  for (const { facet, feature, probe } of probes) {
    const info = prepared.shapes.get(feature);
    if (info === undefined) throw new ModelError('invalid', 'no such tensor', feature);
    const axes = pooledAxes(info.dims);
    const pooled =
      axes.length === 0 ? feature : builder.node('ReduceMean', [feature, builder.i64(axes)], { keepdims: 0 });
    const weights = builder.initializer(`${probeTensor(facet)}.weights`, {
      type: 'float32',
      dims: [probe.classes, probe.weights.length / probe.classes],
      data: probe.weights,
    });
    const bias = builder.initializer(`${probeTensor(facet)}.bias`, {
      type: 'float32',
      dims: [probe.classes],
      data: probe.bias,
    });
    builder.node('Gemm', [pooled, weights, bias], { transB: 1 }, probeTensor(facet));
  }
  return { ...prepared.model, graph: builder.build(prepared.model.graph.name) };
}

/** Axes over which a feature is averaged: positions of a map, tokens of a sequence. */
export function pooledAxes(dims: readonly Dim[]): number[] {
  if (dims.length === 4) return [2, 3];
  if (dims.length === 3) return [1];
  return [];
}

/** Length of a feature once it is pooled: channels of a map, width of a token. */
export function pooledSize(dims: readonly Dim[], tensor: string): number {
  const size = dims.length === 4 ? dims[1] : dims.at(-1);
  if (dims.length < 2 || dims.length > 4 || typeof size !== 'number')
    throw new ModelError(
      'invalid',
      'a feature must have 2, 3 or 4 axes, the first of them the batch',
      tensor,
    );
  return size;
}

/**
 * Errors: ModelError for everything that is wrong with the file, or where it contradicts its manifest.
 */
export function openModel(source: ModelSource, probes: readonly FacetProbe[] = []): OpenedModel {
  const { input } = source.manifest;
  const read = rebatch(raiseOpset(readModel(Uint8Array.from(source.bytes))));
  const found = read.graph.inputs.map((value) => value.name);
  if (found.length !== 1 || found[0] !== input.name)
    throw new ModelError(
      'invalid',
      `the model's inputs are ${found.join(', ')}; the manifest says ${input.name}`,
      'manifest input.name',
    );
  const dims = new Map<string, readonly Dim[]>([
    [input.name, [{ perSample: 1 }, 3, input.height, input.width]],
  ]);
  const published = { model: read, shapes: inferShapes(read.graph, dims) };
  const named = namedTensors(source);
  for (const [field, tensor] of named) {
    if (!published.shapes.has(tensor))
      throw new ModelError('invalid', `the model has no tensor "${tensor}"`, `manifest ${field}`);
  }
  // Folding must not remove what the manifest speaks of.
  const oneByOne = mixesSamples(read.graph, published.shapes);
  const folded = prepare(read, dims, { keep: new Set(named.values()) });
  if (probes.length === 0) return { published, oneByOne, prepared: folded };
  const model = appendProbes(folded, probes);
  return { published, oneByOne, prepared: { model, shapes: inferShapes(model.graph, dims) } };
}

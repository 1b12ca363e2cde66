/**
 * What a facet's own loss compares with: the dataset's label where there is one, else what the model itself says of
 * the clean image.
 */
import type { AttackedFacet, Target } from '@facet/adversary';
import { decodePng, resizeMap } from '@facet/datasets';
import { pooledName } from '@facet/onnx';
import type { AttackSource } from '../model-source.js';
import type { FacetTruth } from '../tasks.js';
import type { Cut } from './batches.js';
import { modelOf, preparedSession } from './models.js';
import { f32 } from './sessions.js';

/** A facet's head on clean images, or its pooled feature where it has none; `dims` of one sample. */
export interface Prediction {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Runs the prepared graph, which holds the probes too. */
export async function predict(source: AttackSource, facet: AttackedFacet, cut: Cut): Promise<Prediction> {
  const model = modelOf(source, source.fit, source.probes);
  const wanted = facet.head === undefined ? { pooled: [facet.feature] } : { outputs: [facet.head.output] };
  const session = await preparedSession(source, wanted);
  const { height, width } = source.manifest.input;
  const results = await session.run({ pixels: f32([cut.n, 3, height, width], cut.pixels) });
  const name = facet.head === undefined ? pooledName(facet.feature) : facet.head.output;
  const shape = facet.head === undefined ? undefined : model.prepared.shapes.get(facet.head.output)?.dims;
  const data = results[name];
  const dims = shape?.slice(1).map(Number) ?? [data.length / cut.n];
  return { dims, data };
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** The row that a facet's loss compares with. */
async function rowOf(
  kind: 'multi-label' | 'map',
  truth: FacetTruth | undefined,
  own: Float32Array,
  dims: readonly number[],
): Promise<Float32Array> {
  if (kind === 'multi-label') {
    if (truth?.kind === 'bits') return Float32Array.from(truth.bits);
    return own.map((logit) => (logit > 0 ? 1 : 0));
  }
  if (truth?.kind !== 'map') return own;
  const [height, width] = dims.slice(-2);
  return resizeMap(await decodePng(truth.png, 1), { height, width });
}

export async function targetOf(
  facet: AttackedFacet,
  { dims, data }: Prediction,
  truth: readonly (FacetTruth | undefined)[],
): Promise<Target> {
  const n = truth.length;
  const size = data.length / n;
  const own = (i: number): Float32Array => data.subarray(i * size, (i + 1) * size);
  const kind = facet.head?.kind;
  if (kind === undefined) return { type: 'float32', dims, data };
  if (kind === 'classes') {
    const index = truth.map((one, i) => (one?.kind === 'class' ? one.index : argmax(own(i))));
    return { type: 'int64', dims: [], data: Float32Array.from(index) };
  }
  const rows = new Float32Array(n * size);
  for (const [i, one] of truth.entries()) rows.set(await rowOf(kind, one, own(i), dims), i * size);
  return { type: 'float32', dims, data: rows };
}

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

/** What every facet says of a batch, by facet, in one pass of the prepared graph, which holds the probes too. */
export async function predict(source: AttackSource, cut: Cut): Promise<ReadonlyMap<string, Prediction>> {
  const { facets } = source.attacked;
  const { shapes } = modelOf(source, source.fit, source.probes).prepared;
  const outputs = facets.flatMap(({ head }) => (head === undefined ? [] : [head.output]));
  const pooled = facets.flatMap(({ head, feature }) => (head === undefined ? [feature] : []));
  const session = await preparedSession(source, {
    outputs: [...new Set(outputs)],
    pooled: [...new Set(pooled)],
  });
  const { height, width } = source.manifest.input;
  const results = await session.run({ pixels: f32([cut.n, 3, height, width], cut.pixels) });
  return new Map(
    facets.map(({ facet, head, feature }) => {
      const data = results[head === undefined ? pooledName(feature) : head.output];
      const dims = head === undefined ? undefined : shapes.get(head.output)?.dims.slice(1).map(Number);
      return [facet, { dims: dims ?? [data.length / cut.n], data }];
    }),
  );
}

/** The class that a head says, from its logits [classes]. */
export function ownClass(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** The bits that a head says, from its logits [bits]. */
export const ownBits = (row: Float32Array): Float32Array => row.map((logit) => (logit > 0 ? 1 : 0));

/** The row that a facet's loss compares with. */
async function rowOf(
  kind: 'multi-label' | 'map',
  truth: FacetTruth | undefined,
  own: Float32Array,
  dims: readonly number[],
): Promise<Float32Array> {
  if (kind === 'multi-label') {
    if (truth?.kind === 'bits') return Float32Array.from(truth.bits);
    return ownBits(own);
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
    const index = truth.map((one, i) => (one?.kind === 'class' ? one.index : ownClass(own(i))));
    return { type: 'int64', dims: [], data: Float32Array.from(index) };
  }
  const rows = new Float32Array(n * size);
  for (const [i, one] of truth.entries()) rows.set(await rowOf(kind, one, own(i), dims), i * size);
  return { type: 'float32', dims, data: rows };
}

/** Forward passes of the published model: decision scores, pooled features, texture statistics, their moments. */
import {
  fitMultiLabelProbe,
  fitPrior,
  fitProbe,
  type LinearPrior,
  type LinearProbe,
  Moments,
  scoresOf,
} from '@facet/adversary';
import { pooledName, textureName } from '@facet/onnx';
import {
  type DescribeResult,
  type DescribeTask,
  type Fit,
  type FitResult,
  type MomentsResult,
  type MomentsTask,
  TEXTURE,
} from '../tasks.js';
import { batchesOf } from './batches.js';
import { imagesOf } from './images.js';
import { forward } from './models.js';

interface Described extends DescribeResult {
  readonly from: number;
  readonly n: number;
}

async function* describeBatches(
  { source, images, batch, features, texture }: DescribeTask,
  signal: AbortSignal,
): AsyncGenerator<Described> {
  const { output } = source.manifest;
  const wanted = {
    outputs: [output.name],
    pooled: features,
    ...(texture === undefined ? {} : { texture }),
  };
  for (const { from, n, pixels } of batchesOf(await imagesOf(images, source.manifest), batch)) {
    signal.throwIfAborted();
    const results = await forward(source, wanted, pixels, n);
    const named = features.map((name) => [name, results[pooledName(name)]] as const);
    const textured = texture === undefined ? [] : [[TEXTURE, results[textureName(texture)]] as const];
    yield {
      from,
      n,
      scores: scoresOf(output, results[output.name], n),
      features: Object.fromEntries([...named, ...textured]),
    };
  }
}

export async function describe(task: DescribeTask, signal: AbortSignal): Promise<DescribeResult> {
  const parts: Described[] = [];
  for await (const part of describeBatches(task, signal)) parts.push(part);
  const n = task.images.photos.length;
  const scores = new Float64Array(n);
  const features: Record<string, Float32Array> = {};
  for (const part of parts) {
    scores.set(part.scores, part.from);
    for (const [name, values] of Object.entries(part.features)) {
      const size = values.length / part.n;
      features[name] ??= new Float32Array(n * size);
      features[name].set(values, part.from * size);
    }
  }
  return { scores, features };
}

export async function moments(task: MomentsTask, signal: AbortSignal): Promise<MomentsResult> {
  const tensors = task.groupings.map(({ of }) => ('feature' in of ? of.feature : undefined));
  const texture = task.groupings.flatMap(({ of }) => ('texture' in of ? [of.texture] : [])).at(0);
  const wanted = {
    ...task,
    features: [...new Set(tensors.filter((name) => name !== undefined))],
    ...(texture === undefined ? {} : { texture }),
  };
  const found = new Map<string, Moments[]>();
  for await (const { from, n, features } of describeBatches(wanted, signal)) {
    for (const { id, of, groups, index } of task.groupings) {
      const values = features['feature' in of ? of.feature : TEXTURE];
      const size = values.length / n;
      const own = found.get(id) ?? Array.from({ length: groups }, () => new Moments(size));
      found.set(id, own);
      for (let i = 0; i < n; i++) {
        const group = index[from + i];
        if (group >= 0) own[group].add(values.subarray(i * size, (i + 1) * size));
      }
    }
  }
  return Object.fromEntries([...found].map(([id, groups]) => [id, groups.map((group) => group.data)]));
}

/** Fits priors and probes to moments; a prior whose classes are too small was not asked for. */
export function fit(fits: readonly Fit[]): FitResult {
  const priors: Record<string, LinearPrior> = {};
  const probes: Record<string, LinearProbe> = {};
  for (const { id, kind, chunks } of fits) {
    const groups = chunks[0].map((_, group) => Moments.merged(chunks.map((chunk) => chunk[group])));
    if (kind === 'prior') priors[id] = fitPrior(groups[0], groups[1]);
    else if (kind === 'probe') probes[id] = fitProbe(groups);
    else {
      const bits = Array.from({ length: groups.length / 2 }, (_, k) => ({
        off: groups[2 * k],
        on: groups[2 * k + 1],
      }));
      probes[id] = fitMultiLabelProbe(bits);
    }
  }
  return { priors, probes };
}

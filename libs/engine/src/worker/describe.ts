/** Forward passes of the published model: decision scores, pooled features, texture statistics, their moments. */
import {
  CONTROL_DIRECTIONS,
  drawControls,
  fitMultiLabelProbe,
  fitPrior,
  fitProbe,
  type LinearPrior,
  type LinearProbe,
  Moments,
  scoresOf,
} from '@facet/adversary';
import { pooledName, textureName } from '@facet/onnx';
import { Random } from '@facet/random';
import {
  type DescribeResult,
  type DescribeTask,
  type Fit,
  type FitResult,
  type MomentsResult,
  type MomentsTask,
  type Readout,
  TEXTURE,
} from '../tasks.js';
import { batchesOf } from './batches.js';
import { imagesOf } from './images.js';
import { forward } from './models.js';

interface Described extends Pick<DescribeResult, 'scores' | 'features'> {
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

/** weights z + bias for each of n features z. */
function read({ weights, bias }: Readout, features: Float32Array, n: number): Float32Array {
  const d = features.length / n;
  const out = new Float32Array(n * bias.length);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < bias.length; k++) {
      let sum = bias[k];
      for (let j = 0; j < d; j++) sum += weights[k * d + j] * features[i * d + j];
      out[i * bias.length + k] = sum;
    }
  return out;
}

export async function describe(task: DescribeTask, signal: AbortSignal): Promise<DescribeResult> {
  const { readouts = {} } = task;
  const asked = Object.entries(readouts);
  const n = task.images.photos.length;
  const scores = new Float64Array(n);
  const found = {
    features: {} as Record<string, Float32Array>,
    readouts: {} as Record<string, Float32Array>,
  };
  const keep = (kind: keyof typeof found, name: string, values: Float32Array, part: Described): void => {
    const size = values.length / part.n;
    found[kind][name] ??= new Float32Array(n * size);
    found[kind][name].set(values, part.from * size);
  };
  const wanted = new Set([...task.features, ...asked.map(([, { feature }]) => feature)]);
  for await (const part of describeBatches({ ...task, features: [...wanted] }, signal)) {
    scores.set(part.scores, part.from);
    for (const name of [...task.features, ...(task.texture === undefined ? [] : [TEXTURE])])
      keep('features', name, part.features[name], part);
    for (const [name, readout] of asked)
      keep('readouts', name, read(readout, part.features[readout.feature], part.n), part);
  }
  return { scores, ...found };
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
    for (const { id, of, groups, index, indicators = new Uint8Array() } of task.groupings) {
      const values = features['feature' in of ? of.feature : TEXTURE];
      const [size, beside] = [values.length / n, indicators.length / index.length];
      const own = found.get(id) ?? Array.from({ length: groups }, () => new Moments(size + beside));
      found.set(id, own);
      const joined = new Float32Array(size + beside);
      for (let i = 0; i < n; i++) {
        const sample = from + i;
        if (index[sample] < 0) continue;
        joined.set(values.subarray(i * size, (i + 1) * size));
        joined.set(indicators.subarray(sample * beside, (sample + 1) * beside), size);
        own[index[sample]].add(joined);
      }
    }
  }
  return Object.fromEntries([...found].map(([id, groups]) => [id, groups.map((group) => group.data)]));
}

/** Fits priors and probes to moments; a prior whose classes are too small was not asked for. */
export function fit(fits: readonly Fit[]): FitResult {
  const priors: Record<string, LinearPrior> = {};
  const controls: Record<string, Float32Array[]> = {};
  const probes: Record<string, LinearProbe> = {};
  for (const one of fits) {
    const { id } = one;
    if (one.kind === 'prior') {
      const [live, spoof] = one.groups.map((data) => Moments.of(data));
      priors[id] = fitPrior(live, spoof);
      controls[id] = drawControls(live, spoof, CONTROL_DIRECTIONS, new Random(one.seed, 'control', id));
    } else {
      const fitted = one.kind === 'probe' ? fitProbe : fitMultiLabelProbe;
      probes[id] = fitted(Moments.of(one.joined), one.outputs);
    }
  }
  return { priors, controls, probes };
}

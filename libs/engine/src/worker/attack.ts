/** One shard of one cell: the search runs here, beside its session, so that a step crosses no thread. */
import {
  type Attacked,
  type AttackedFacet,
  budgetOf,
  changeOf,
  comparesTargets,
  controlFor,
  controlName,
  facetsOf,
  searchOf,
  type Target,
  targetName,
} from '@facet/adversary';
import { Random } from '@facet/random';
import type { AttackResult, AttackTask } from '../tasks.js';
import { batchesOf, type Cut } from './batches.js';
import { type CleanShard, cleanShard, donorsOf } from './clean-shard.js';
import { pngsOf } from './images.js';
import { oracleOf } from './oracle.js';

/** Targets of a batch, for the objectives that compare with something. */
async function targetsOf(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  clean: CleanShard,
  cut: Cut,
): Promise<ReadonlyMap<string, Target>> {
  if (!comparesTargets(task.objective)) return new Map();
  const targets = facetsOf(task.source.attacked, facet, task.objective).map(async (one) => {
    const truth =
      task.truth[one.facet]?.slice(cut.from, cut.to) ?? new Array<undefined>(cut.n).fill(undefined);
    return [targetName(one.facet), await clean.target(one, cut, truth)] as const;
  });
  const controls = task.objective === 'control' ? controlsOf(task, facet!, cut) : [];
  return new Map([...(await Promise.all(targets)), ...controls]);
}

/** The directions of a batch's samples, which follow from the seed, a sample's key and the facet alone. */
function controlsOf(task: AttackTask, facet: AttackedFacet, cut: Cut): [string, Target][] {
  const keys = task.keys.slice(cut.from, cut.to);
  const rows = (of: string, directions: readonly Float32Array[]): Target => {
    const [{ length }] = directions;
    const data = new Float32Array(keys.length * length);
    keys.forEach((key, i) => {
      data.set(controlFor(directions, new Random(task.seed, 'control', key, facet.facet, of)), i * length);
    });
    return { type: 'float32', dims: [length], data };
  };
  return [
    [controlName(facet.facet), rows('prior', facet.controls!)],
    [controlName(), rows('texture', task.source.attacked.texture.controls!)],
  ];
}

interface Found extends Omit<AttackResult, 'pngs'> {
  readonly images: Uint8Array;
}

function measure(found: Found, cut: Cut, { images, scores }: Attacked): void {
  const size = images.length / cut.n;
  found.images.set(images, cut.from * size);
  found.adversarialScores.set(scores, cut.from);
  for (let i = 0; i < cut.n; i++) {
    const [from, to] = [i * size, (i + 1) * size];
    const { linf, l2 } = changeOf(images.subarray(from, to), cut.bytes.subarray(from, to));
    found.linf[cut.from + i] = linf;
    found.l2[cut.from + i] = l2;
  }
}

/**
 * Adversarial images for a shard. `onStep` counts images that a pass through the model has served.
 * Errors: ModelError where the model, or for a search that follows gradients an operator on the facet's path, cannot
 * be computed or differentiated; RangeError for a facet or an objective that the model does not offer.
 */
export async function attack(
  task: AttackTask,
  signal: AbortSignal,
  onStep: (samples: number) => void,
): Promise<AttackResult> {
  const { source, threshold } = task;
  const { height, width } = source.manifest.input;
  const facet = source.attacked.facets.find((one) => one.facet === task.facet);
  if (task.facet !== undefined && facet === undefined)
    throw new RangeError(`the model has no facet ${task.facet}`);
  const clean = await cleanShard(source, task.images, task.batch);
  const { n, bytes } = clean.images;
  const found: Found = {
    images: new Uint8Array(bytes.length),
    cleanScores: Float64Array.from(clean.scores),
    adversarialScores: new Float64Array(n),
    linf: new Float64Array(n),
    l2: new Float64Array(n),
  };
  const shared = {
    oracle: await oracleOf(task, facet),
    budget: budgetOf(task.threat),
    seed: task.seed,
    threshold,
    donors: donorsOf(clean, threshold),
    height,
    width,
    signal,
    onStep,
  };
  const search = searchOf(task.search);
  for (const cut of batchesOf(clean.images, task.batch)) {
    signal.throwIfAborted();
    const labels = task.labels.slice(cut.from, cut.to);
    const targets = await targetsOf(task, facet, clean, cut);
    const attacked = await search({ n: cut.n, pixels: cut.pixels, labels, targets }, cut.bytes, {
      ...shared,
      keys: task.keys.slice(cut.from, cut.to),
      cleanScores: clean.scores.slice(cut.from, cut.to),
    });
    measure(found, cut, attacked);
  }
  const { images, ...scores } = found;
  return { pngs: pngsOf({ n, bytes: images }, source.manifest.input), ...scores };
}

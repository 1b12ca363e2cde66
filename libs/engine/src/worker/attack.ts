/** One shard of one cell: the search runs here, beside its session, so that a step crosses no thread. */
import {
  type Attacked,
  type AttackBatch,
  type AttackedFacet,
  budgetOf,
  comparesTargets,
  controlFor,
  controlName,
  dequantise,
  facetsOf,
  type GradientOracle,
  largestChange,
  lossOf,
  objectiveOf,
  type ObjectiveGradient,
  rootMeanSquare,
  scoresOf,
  type SearchContext,
  searchOf,
  selectRows,
  type StepOracle,
  stepsBySigns,
  type Target,
  targetName,
} from '@facet/adversary';
import { needsGradient } from '@facet/contracts';
import { compileObjective, ModelError } from '@facet/onnx';
import { Random } from '@facet/random';
import { type AttackSource, identityOf } from '../model-source.js';
import type { AttackResult, AttackTask } from '../tasks.js';
import { batchesOf, type Cut } from './batches.js';
import { type CleanShard, cleanShard, donorsOf } from './clean-shard.js';
import { pngsOf } from './images.js';
import { decide, modelOf, sessions } from './models.js';
import { f32, i64, type Session, type Values } from './sessions.js';
import { targetOf } from './targets.js';

/**
 * Products of one row take another kernel than those of several, with other last bits (seen in ConvNeXt's gradient; of
 * 2 samples to 9 all eight networks that were tried gave the same bits). So the last sample of a batch that others have
 * left is computed twice, and its result does not depend on who stood beside it.
 */
const LEAST_ROWS = 2;

/** What an objective's graph reads of a batch beside its pixels. */
const targetFeeds = ({ n, labels, targets }: AttackBatch): Record<string, Values> => ({
  label: i64([n], labels),
  ...Object.fromEntries(
    [...targets].map(([name, { type, dims, data }]): [string, Values] => [
      name,
      type === 'int64' ? i64([n, ...dims], data) : f32([n, ...dims], data),
    ]),
  ),
});

const repeated = (row: Float32Array): Float32Array => {
  const rows = new Float32Array(LEAST_ROWS * row.length);
  for (let i = 0; i < LEAST_ROWS; i++) rows.set(row, i * row.length);
  return rows;
};

/** The gradient session of a cell's objective as the port that searches know. */
const gradientOf =
  ({ manifest }: AttackSource, session: Session, leastRows: number): GradientOracle['gradient'] =>
  async (given: AttackBatch): Promise<ObjectiveGradient> => {
    const { height, width } = manifest.input;
    const batch = given.n < leastRows ? selectRows(given, new Array<number>(leastRows).fill(0)) : given;
    const { value, gradient, decision } = await session.run({
      pixels: f32([batch.n, 3, height, width], batch.pixels),
      ...targetFeeds(batch),
    });
    return {
      value: value.subarray(0, given.n),
      gradient: gradient.subarray(0, (given.n * gradient.length) / batch.n),
      scores: scoresOf(manifest.output, decision, batch.n).subarray(0, given.n),
    };
  };

/** The same of a session that steps by signs. */
const stepOf = ({ manifest }: AttackSource, session: Session, leastRows: number): StepOracle['step'] => {
  const { height, width } = manifest.input;
  const step: StepOracle['step'] = async (batch, { length, low, high, next }) => {
    if (batch.n < leastRows) {
      const twice = selectRows(batch, new Array<number>(LEAST_ROWS).fill(0));
      const moved = new Float32Array(LEAST_ROWS * next.length);
      const scores = await step(twice, { length, low: repeated(low), high: repeated(high), next: moved });
      next.set(moved.subarray(0, next.length));
      return scores.subarray(0, batch.n);
    }
    const rows = (data: Float32Array): Values => f32([batch.n, 3, height, width], data);
    const { decision } = await session.run(
      {
        ...{ pixels: rows(batch.pixels), low: rows(low), high: rows(high) },
        length: f32([], Float32Array.of(length)),
        ...targetFeeds(batch),
      },
      { next: rows(next) },
    );
    return scoresOf(manifest.output, decision, batch.n);
  };
  return step;
};

function objectiveSession(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  step: boolean,
): Promise<Session> {
  const { source, objective } = task;
  const loss = lossOf(task.search);
  const kind = step ? 'step' : 'gradient';
  const key = JSON.stringify([kind, identityOf(source, source.fit), task.facet, objective, loss]);
  return sessions.get(key, 'constant', () => {
    const { prepared } = modelOf(source, source.fit, source.probes);
    return compileObjective(prepared, { ...objectiveOf(source.attacked, facet, objective, loss), step });
  });
}

/** Scores always; steps or gradients where the search needs them, or can use them and the model has them. */
async function oracleOf(
  task: AttackTask,
  facet: AttackedFacet | undefined,
): Promise<SearchContext['oracle']> {
  const { source, search, threat } = task;
  const scores: GradientOracle['scores'] = (pixels, n) => decide(source, pixels, n);
  if (!needsGradient(search) && search.name !== 'auto') return { scores };
  const step = stepsBySigns(search, threat.norm);
  const leastRows = Math.min(LEAST_ROWS, task.batch);
  try {
    const session = await objectiveSession(task, facet, step);
    if (step) return { scores, step: stepOf(source, session, leastRows) };
    return { scores, gradient: gradientOf(source, session, leastRows) };
  } catch (error) {
    if (needsGradient(search) || !(error instanceof ModelError && error.fault === 'unsupported')) throw error;
    return { scores };
  }
}

/** Targets of a batch, for the objectives that compare with something. */
async function targetsOf(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  clean: CleanShard,
  cut: Cut,
): Promise<ReadonlyMap<string, Target>> {
  if (!comparesTargets(task.objective)) return new Map();
  const targets = facetsOf(task.source.attacked, facet, task.objective).map(async (one) => {
    const prediction = await clean.prediction(one, cut);
    const truth =
      task.truth[one.facet]?.slice(cut.from, cut.to) ?? new Array<undefined>(cut.n).fill(undefined);
    return [targetName(one.facet), await targetOf(one, prediction, truth)] as const;
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
  const pixels = dequantise(images);
  found.images.set(images, cut.from * size);
  found.adversarialScores.set(scores, cut.from);
  for (let i = 0; i < cut.n; i++) {
    const [from, to] = [i * size, (i + 1) * size];
    const [changed, origin] = [pixels.subarray(from, to), cut.pixels.subarray(from, to)];
    found.linf[cut.from + i] = largestChange(changed, origin);
    found.l2[cut.from + i] = rootMeanSquare(changed, origin);
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
    fooled: (score: number, label: number): boolean => score >= threshold !== (label === 0),
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

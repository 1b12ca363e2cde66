/** One shard of one cell: the search runs here, beside its session, so that a step crosses no thread. */
import {
  budgetOf,
  dequantise,
  largestChange,
  rootMeanSquare,
  type AttackBatch,
  type AttackedFacet,
  type GradientOracle,
  objectiveOf,
  searchOf,
  type Target,
  targetName,
} from '@facet/adversary';
import { compileObjective } from '@facet/onnx';
import { type AttackSource, identityOf } from '../model-source.js';
import type { AttackResult, AttackTask } from '../tasks.js';
import { batchesOf, type Cut } from './batches.js';
import { imagesOf, pngsOf } from './images.js';
import { decide, modelOf, sessions } from './models.js';
import { f32, i64, type Session, type Values } from './sessions.js';
import { predict, targetOf } from './targets.js';

/** The gradient session of a cell's objective as the port that searches know. */
class SessionOracle implements GradientOracle {
  constructor(
    private readonly source: AttackSource,
    private readonly session: Session,
  ) {}

  async gradient(batch: AttackBatch) {
    const { height, width } = this.source.manifest.input;
    const targets = [...batch.targets].map(([name, target]): [string, Values] => [
      name,
      target.type === 'int64'
        ? i64([batch.n, ...target.dims], target.data)
        : f32([batch.n, ...target.dims], target.data),
    ]);
    const results = await this.session.run({
      pixels: f32([batch.n, 3, height, width], batch.pixels),
      label: i64([batch.n], batch.labels),
      ...Object.fromEntries(targets),
    });
    return { value: results['value'], gradient: results['gradient'] };
  }

  scores(pixels: Float32Array, n: number): Promise<Float64Array> {
    return decide(this.source, pixels, n);
  }
}

function gradientSession(task: AttackTask, facet: AttackedFacet | undefined): Promise<Session> {
  const { source, objective } = task;
  const key = JSON.stringify(['gradient', identityOf(source, source.fit), task.facet, objective]);
  return sessions.get(key, 'constant', () => {
    const { prepared } = modelOf(source, source.fit, source.probes);
    return compileObjective(prepared, objectiveOf(source.attacked, facet, objective));
  });
}

/** Targets of a batch, for the objectives that compare with something. */
async function targetsOf(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  cut: Cut,
): Promise<ReadonlyMap<string, Target>> {
  if (facet === undefined || task.objective === 'direct' || task.objective === 'prior-only') return new Map();
  const prediction = await predict(task.source, facet, cut);
  const target = await targetOf(facet, prediction, task.truth.slice(cut.from, cut.to));
  return new Map([[targetName(facet.facet), target]]);
}

interface Found extends Omit<AttackResult, 'pngs'> {
  readonly images: Uint8Array;
}

async function attackBatch(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  oracle: GradientOracle,
  cut: Cut,
  signal: AbortSignal,
  onStep: (samples: number) => void,
): Promise<Uint8Array> {
  const batch = {
    n: cut.n,
    pixels: cut.pixels,
    labels: task.labels.slice(cut.from, cut.to),
    targets: await targetsOf(task, facet, cut),
  };
  return searchOf(task.search)(batch, cut.bytes, {
    oracle,
    budget: budgetOf(task.threat),
    seed: task.seed,
    keys: task.keys.slice(cut.from, cut.to),
    fooled: (score, label) => score >= task.threshold !== (label === 0),
    signal,
    onStep,
  });
}

/**
 * Adversarial images for a shard. `onStep` counts images that a gradient step has served.
 * Errors: ModelError where the model or an operator on the facet's path cannot be differentiated.
 */
export async function attack(
  task: AttackTask,
  signal: AbortSignal,
  onStep: (samples: number) => void,
): Promise<AttackResult> {
  const facet = task.source.attacked.facets.find((one) => one.facet === task.facet);
  if (task.facet !== undefined && facet === undefined)
    throw new RangeError(`the model has no facet ${task.facet}`);
  const clean = await imagesOf(task.images, task.source.manifest);
  const found: Found = {
    images: new Uint8Array(clean.bytes.length),
    cleanScores: new Float64Array(clean.n),
    adversarialScores: new Float64Array(clean.n),
    linf: new Float64Array(clean.n),
    l2: new Float64Array(clean.n),
  };
  const oracle = new SessionOracle(task.source, await gradientSession(task, facet));
  for (const cut of batchesOf(clean, task.batch)) {
    signal.throwIfAborted();
    const adversarial = await attackBatch(task, facet, oracle, cut, signal, onStep);
    const pixels = dequantise(adversarial);
    found.images.set(adversarial, (cut.from * clean.bytes.length) / clean.n);
    found.cleanScores.set(await decide(task.source, cut.pixels, cut.n), cut.from);
    found.adversarialScores.set(await decide(task.source, pixels, cut.n), cut.from);
    const size = pixels.length / cut.n;
    for (let i = 0; i < cut.n; i++) {
      const change = pixels.subarray(i * size, (i + 1) * size);
      const origin = cut.pixels.subarray(i * size, (i + 1) * size);
      found.linf[cut.from + i] = largestChange(change, origin);
      found.l2[cut.from + i] = rootMeanSquare(change, origin);
    }
  }
  const { images, ...scores } = found;
  return { pngs: await pngsOf({ n: clean.n, bytes: images }, task.source.manifest.input), ...scores };
}

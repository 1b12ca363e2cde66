/**
 * Attacks on a network between two steps of its training, its scores and its priors. BatchNormalization runs in
 * evaluation mode, so no sample's attack depends on its neighbours. Weights come from the training's own state.
 */
import {
  type AttackBatch,
  type AttackedFacet,
  type AttackedModel,
  budgetOf,
  fitPrior,
  inputTransform,
  innerSteps,
  MIN_PRIOR_SAMPLES,
  Moments,
  objectiveOf,
  perturb,
  scoresOf,
  type Target,
  targetName,
} from '@facet/adversary';
import { LIVE, needsPrior, SPOOF } from '@facet/contracts';
import type { AttackedRows, Priors, Scores } from '@facet/learning';
import {
  compileForward,
  compileObjective,
  type ForwardSpec,
  ModelError,
  type ObjectiveSpec,
  pooledName,
  textureName,
} from '@facet/onnx';
import { TEXTURE } from '../tasks.js';
import type {
  Attackable,
  FitPriorsTask,
  PerturbPartTask,
  ScoreTask,
  TrainedGraph,
} from '../training-tasks.js';
import { sessions } from './models.js';
import { f32, i64, type Session, type Values } from './sessions.js';
import { ownBits, ownClass } from './targets.js';
import { openTraining, stateFeeds } from './trained-graph.js';

/** Samples that are scored at a time. */
const BATCH = 32;

type Feeds = Readonly<Record<string, Values>>;

/** The network over `pixels`: its own input transform is part of the file already. */
const INPUT = { name: 'pixels', swapRedBlue: false, scale: [1, 1, 1], offset: [0, 0, 0] } as const;

const sessionKey = (task: TrainedGraph, ...what: readonly unknown[]): string =>
  JSON.stringify(['inner', task.id, ...what]);

function forwardSession(task: TrainedGraph, wanted: Omit<ForwardSpec, 'input' | 'fed'>): Promise<Session> {
  const { prepared, fed } = openTraining(task);
  return sessions.get(sessionKey(task, wanted), 'fed', () =>
    compileForward(prepared, { ...wanted, input: INPUT, fed }),
  );
}

function objectiveSession(
  task: TrainedGraph,
  key: readonly unknown[],
  spec: ObjectiveSpec,
): Promise<Session> {
  const { prepared, fed } = openTraining(task);
  return sessions.get(sessionKey(task, ...key), 'fed', () =>
    compileObjective(prepared, { ...spec, input: INPUT, fed }),
  );
}

const imageDims = ({ spec }: TrainedGraph, n: number): number[] => [n, 3, spec.height, spec.width];

/** Gradients by one session with the state already laid out. */
const slopeOf =
  (task: TrainedGraph, session: Session, state: Feeds) =>
  async ({ n, pixels, labels, targets }: AttackBatch): Promise<Float32Array> => {
    const given = [...targets].map(([name, { type, dims, data }]): [string, Values] => [
      name,
      type === 'int64' ? i64([n, ...dims], data) : f32([n, ...dims], data),
    ]);
    const { gradient } = await session.run({
      ...state,
      pixels: f32(imageDims(task, n), pixels),
      label: i64([n], labels),
      ...Object.fromEntries(given),
    });
    return gradient;
  };

function rowsOf<T extends Float32Array | BigInt64Array>(data: T, n: number, rows: readonly number[]): T {
  const width = data.length / n;
  const out = (
    data instanceof BigInt64Array
      ? new BigInt64Array(rows.length * width)
      : new Float32Array(rows.length * width)
  ) as T;
  rows.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width) as never, i * width));
  return out;
}

/** What a facet's loss compares with: the labels, and where they are unknown what the network says of the clean image. */
async function facetTarget(
  task: PerturbPartTask,
  facet: AttackedFacet,
  rows: readonly number[],
  pixels: Float32Array,
  state: Feeds,
): Promise<Target> {
  const { batch } = task;
  const { head, feature } = facet;
  const wanted = head === undefined ? { outputs: [], pooled: [feature] } : { outputs: [head.output] };
  const known = head !== undefined && Object.hasOwn(batch.targets, facet.facet);
  const mask = known ? rowsOf(batch.masks[facet.facet], batch.size, rows) : undefined;
  const labels = known ? rowsOf(batch.targets[facet.facet], batch.size, rows) : undefined;
  let own: Float32Array | undefined;
  if (mask === undefined || mask.some((one) => one === 0)) {
    const session = await forwardSession(task, wanted);
    const results = await session.run({ ...state, pixels: f32(imageDims(task, rows.length), pixels) });
    own = results[head === undefined ? pooledName(feature) : head.output];
  }
  const width = (own ?? labels)!.length / rows.length;
  if (head?.kind === 'classes') {
    const index = rows.map((_, i) =>
      mask?.[i] ? Number(labels![i]) : ownClass(own!.subarray(i * width, (i + 1) * width)),
    );
    return { type: 'int64', dims: [], data: Float32Array.from(index) };
  }
  const dims =
    head === undefined
      ? [width]
      : (openTraining(task).prepared.shapes.get(head.output)?.dims.slice(1).map(Number) ?? [width]);
  const data = new Float32Array(rows.length * width);
  rows.forEach((_, i) => {
    const said = own?.subarray(i * width, (i + 1) * width);
    const row = mask?.[i]
      ? (labels!.subarray(i * width, (i + 1) * width) as Float32Array)
      : head?.kind === 'multi-label'
        ? ownBits(said!)
        : said!;
    data.set(row, i * width);
  });
  return { type: 'float32', dims, data };
}

/** The name of the graph input that holds the clean decision, for TRADES. */
const CLEAN = 'target.clean';

/** What the decision says of clean images, as probabilities [n, classes]. */
async function cleanDecision(
  task: TrainedGraph & Pick<Attackable, 'attacked'>,
  pixels: Float32Array,
  n: number,
  state: Feeds,
): Promise<Target> {
  const { output } = task.attacked;
  if (output.kind !== 'logits')
    throw new ModelError('unsupported', `is ${output.kind}; TRADES compares class logits`, output.name);
  const session = await forwardSession(task, { outputs: [output.name] });
  const logits = (await session.run({ ...state, pixels: f32(imageDims(task, n), pixels) }))[output.name];
  const k = output.classes;
  const data = new Float32Array(logits.length);
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * k, (i + 1) * k);
    const top = Math.max(...row);
    const all = row.map((z) => Math.exp(z - top));
    const sum = all.reduce((a, b) => a + b, 0);
    all.forEach((e, j) => (data[i * k + j] = e / sum));
  }
  return { type: 'float32', dims: [k], data };
}

/** The model with what was fitted last. */
function withPriors(attacked: AttackedModel, priors: Priors): AttackedModel {
  const texture = priors.get(TEXTURE);
  return {
    ...attacked,
    facets: attacked.facets.map((facet) => {
      const prior = priors.get(facet.facet);
      return prior === undefined ? facet : { ...facet, prior };
    }),
    texture: texture === undefined ? attacked.texture : { ...attacked.texture, prior: texture },
  };
}

let lastFit = -1;

/** Sessions hold their priors as constants; those of earlier fits are not coming back. */
async function forgetOldFits(fit: number): Promise<void> {
  if (fit === lastFit) return;
  lastFit = fit;
  await sessions.drop((key) => key.includes('"with-prior"') && !key.includes(`"fit-${fit}"`));
}

async function perturbRows(
  task: PerturbPartTask,
  { objective, facet: name, rows }: AttackedRows,
  state: Feeds,
): Promise<Float32Array> {
  const { batch, search } = task;
  const attacked = withPriors(task.attacked, task.priors);
  const facet = attacked.facets.find((one) => one.facet === name);
  if (name !== undefined && facet === undefined)
    throw new RangeError(`the recipe attacks the facet ${name}, which the network does not have`);
  const pixels = rowsOf(batch.pixels, batch.size, rows);
  const n = rows.length;
  const trades = search.name === 'trades';
  const targets = new Map<string, Target>();
  if (trades) targets.set(CLEAN, await cleanDecision(task, pixels, n, state));
  else if (facet !== undefined && objective !== 'prior-only')
    targets.set(targetName(facet.facet), await facetTarget(task, facet, rows, pixels, state));
  const fit = needsPrior(objective) ? ['with-prior', `fit-${task.fit}`] : [];
  if (needsPrior(objective)) await forgetOldFits(task.fit);
  const spec = trades ? tradesObjective(attacked) : objectiveOf(attacked, facet, objective);
  const session = await objectiveSession(task, [trades ? 'trades' : objective, name ?? null, ...fit], spec);
  const labels = Uint8Array.from(rows, (row) => batch.labels[row]);
  return perturb(
    { n, pixels, labels, targets },
    {
      ...innerSteps(search),
      budget: budgetOf({ norm: task.norm, epsilon: task.epsilon }),
      seed: task.seed,
      keys: rows.map((row) => `${task.part}/${row}`),
      gradient: slopeOf(task, session, state),
    },
  );
}

const tradesObjective = ({ output, input }: AttackedModel): ObjectiveSpec => ({
  input: inputTransform(input),
  terms: [{ term: { kind: 'soft-cross-entropy', logits: output.name, target: CLEAN }, weight: 1 }],
});

/** The pixels of a part with its attacked rows in the place of the clean ones. */
export async function perturbPart(task: PerturbPartTask): Promise<Float32Array> {
  const { batch, groups } = task;
  const { layout } = openTraining(task);
  const state = stateFeeds(layout, task.state);
  const pixels = Float32Array.from(batch.pixels);
  const size = pixels.length / batch.size;
  for (const group of groups) {
    const found = await perturbRows(task, group, state);
    group.rows.forEach((row, i) => pixels.set(found.subarray(i * size, (i + 1) * size), row * size));
  }
  return pixels;
}

export async function score(task: ScoreTask): Promise<Scores> {
  const { layout } = openTraining(task);
  const state = stateFeeds(layout, task.state);
  const { attacked, search, norm } = task.network;
  const { output } = attacked;
  const n = task.labels.length;
  const size = task.pixels.length / n;
  const { attack } = task;
  const forward = await forwardSession(task, { outputs: [output.name] });
  const scoresAt = async (pixels: Float32Array, count: number): Promise<Float64Array> => {
    const results = await forward.run({ ...state, pixels: f32(imageDims(task, count), pixels) });
    return scoresOf(output, results[output.name], count);
  };
  const clean = new Float64Array(n);
  const under = new Float64Array(n);
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const pixels = task.pixels.slice(from * size, (from + count) * size);
    clean.set(await scoresAt(pixels, count), from);
    if (attack === undefined) continue;
    const session = await objectiveSession(
      task,
      ['direct', null],
      objectiveOf(attacked, undefined, 'direct'),
    );
    const hard = await perturb(
      { n: count, pixels, labels: task.labels.slice(from, from + count), targets: new Map() },
      {
        ...innerSteps(search),
        budget: budgetOf({ norm, epsilon: attack.epsilon }),
        seed: attack.seed,
        keys: Array.from({ length: count }, (_, i) => attack.first + from + i),
        gradient: slopeOf(task, session, state),
      },
    );
    under.set(await scoresAt(hard, count), from);
  }
  return attack === undefined ? { clean } : { clean, attacked: under };
}

/** Errors: RangeError with too few samples of a class. */
export async function fitPriors(task: FitPriorsTask): Promise<Priors> {
  const { layout } = openTraining(task);
  const state = stateFeeds(layout, task.state);
  const { facets, texture } = task.network.attacked;
  const features = [...new Set(facets.map(({ feature }) => feature))];
  const session = await forwardSession(task, { outputs: [], pooled: features, texture: texture.tensor });
  const { pixels, labels } = task.samples;
  const n = labels.length;
  const live = labels.reduce((sum, label) => sum + Number(label === LIVE), 0);
  if (Math.min(live, n - live) < MIN_PRIOR_SAMPLES)
    throw new ModelError(
      'limit',
      `priors need ${MIN_PRIOR_SAMPLES} samples of each class, and ${n} drawn ones hold ${live} live and ${n - live} spoof`,
      'recipe.adversarial.priors.samples',
    );
  const size = pixels.length / n;
  const moments = new Map<string, readonly [Moments, Moments]>();
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const part = pixels.slice(from * size, (from + count) * size);
    const results = await session.run({ ...state, pixels: f32(imageDims(task, count), part) });
    for (const name of [...features.map(pooledName), textureName(texture.tensor)]) {
      const values = results[name];
      const width = values.length / count;
      const own = moments.get(name) ?? [new Moments(width), new Moments(width)];
      moments.set(name, own);
      for (let i = 0; i < count; i++) own[labels[from + i]].add(values.subarray(i * width, (i + 1) * width));
    }
  }
  const fitted = (name: string) => {
    const groups = moments.get(name)!;
    return fitPrior(groups[LIVE], groups[SPOOF]);
  };
  return new Map([
    ...facets.map(({ facet, feature }) => [facet, fitted(pooledName(feature))] as const),
    [TEXTURE, fitted(textureName(texture.tensor))] as const,
  ]);
}

/** Attacks on the rows of a batch that a training wants attacked. */
import {
  type AttackedModel,
  budgetOf,
  inputTransform,
  innerSteps,
  objectiveOf,
  perturb,
  type Target,
  targetName,
} from '@facet/adversary';
import { needsPrior } from '@facet/contracts';
import type { AttackedRows, Priors } from '@facet/learning';
import type { ObjectiveSpec } from '@facet/onnx';
import { TEXTURE } from '../../tasks.js';
import type { PerturbPartTask } from '../../training-tasks.js';
import { openTraining, stateFeeds } from '../trained-graph.js';
import { type Feeds, forgetOldFits, objectiveSession, slopeOf } from './sessions.js';
import { CLEAN, cleanDecision, facetTarget, rowsOf } from './targets.js';

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

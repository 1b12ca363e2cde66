/**
 * One part of a training step: forward and backward in one session; and one piece of its update, once the gradients of
 * all parts are there.
 */
import { borrow, giveBack } from '@facet/adversary';
import { optimiserOf, squaredNorm, updateMoment, updateWeight } from '@facet/learning';
import { gradientOf, lossOf, type Model, nextOf } from '@facet/onnx';
import type { NormsTask, TrainingPartTask, UpdateTask } from '../training-tasks.js';
import { inBlocks } from './blocks.js';
import { sessions } from './models.js';
import { f32, type Values } from './sessions.js';
import { openTraining, slotsOf, stateFeeds } from './trained-graph.js';

/** Losses of this part by name; its gradients and next running moments are written to `task.given`. */
export async function trainPart(task: TrainingPartTask): Promise<Record<string, number>> {
  const { step, layout } = openTraining(task);
  const { input, channels, height, width, losses } = task.spec;
  const { size: n, targets, masks } = task.batch;
  const inBlocksOf = (model: Model): Promise<Model> => inBlocks(model, n);
  const session = await sessions.get(`${task.id}/${n}`, 'fed', () => step.model, inBlocksOf);
  const pixels = borrow(task.batch.pixels.length);
  pixels.set(task.batch.pixels);
  const feeds: Record<string, Values> = { [input]: f32([n, channels, height, width], pixels) };
  const inputs = new Map(step.model.graph.inputs.map((value) => [value.name, value.dims]));
  for (const { name, target, mask } of losses) {
    const dims = (inputs.get(target) ?? []).map((d) => (typeof d === 'number' ? d : n));
    const data = targets[name];
    feeds[target] = { type: data instanceof BigInt64Array ? 'int64' : 'float32', dims, data };
    feeds[mask] = f32([n], masks[name]);
  }
  const [state, given] = [borrow(layout.partSize), borrow(layout.partSize)];
  const results = await session.run(
    { ...feeds, ...stateFeeds(layout, task.state, state) },
    {
      ...slotsOf(layout.weights, given, ({ name }) => gradientOf(name)),
      ...slotsOf(layout.moments, given, ({ name }) => nextOf(name)),
    },
  );
  task.given.set(given);
  [pixels, state, given].forEach(giveBack);
  return Object.fromEntries(losses.map(({ name }) => [name, results[lossOf(name)][0]]));
}

/** Squared lengths of the mean gradients of some weights, in their order. */
export const gradientNorms = ({
  layout,
  parts,
  weights: [from, to],
}: NormsTask): Promise<readonly number[]> =>
  Promise.resolve(layout.weights.slice(from, to).map((slot) => squaredNorm(parts, slot)));

/** Writes the next values of some weights and what the optimiser remembers of them. */
export function update({
  layout,
  updating,
  weights: [from, to],
  moments,
  options,
  ...state
}: UpdateTask): Promise<undefined> {
  const optimiser = optimiserOf(updating);
  for (const slot of layout.weights.slice(from, to)) updateWeight(layout, optimiser, slot, state, options);
  if (moments) for (const slot of layout.moments) updateMoment(slot, state);
  return Promise.resolve(undefined);
}

/**
 * One part of a data-parallel training step: forward, backward and update in one session. The step starts from the mean
 * of what the parts left behind, which is one update with the mean gradient, since SGD with momentum is linear in it.
 */
import { compileTraining, LEARNING_RATE, lossOf, type Model, readModel } from '@facet/onnx';
import { meanState, stateLayout, type StateSlot } from '../training-state.js';
import type { TrainingPartTask } from '../tasks.js';
import { sessions } from './models.js';
import { f32, type Session, type Values } from './sessions.js';

const layouts = new Map<string, { model: Model; layout: readonly StateSlot[] }>();

function compiled(task: TrainingPartTask): { model: Model; layout: readonly StateSlot[] } {
  const known = layouts.get(task.id);
  if (known !== undefined) return known;
  const model = compileTraining(readModel(Uint8Array.from(task.model)), task.spec);
  const fresh = { model, layout: stateLayout(model) };
  layouts.clear();
  layouts.set(task.id, fresh);
  return fresh;
}

/** Losses of this part by name; its next state is written to `task.next`. */
export async function trainPart(task: TrainingPartTask): Promise<Record<string, number>> {
  const { model, layout } = compiled(task);
  const session: Session = await sessions.get(task.id, 'fed', () => model);
  const state = meanState(task.previous);
  const { input, channels, height, width, losses } = task.spec;
  const { size: n, pixels, targets, masks } = task.batch;
  const feeds: Record<string, Values> = {
    [input]: f32([n, channels, height, width], pixels),
    [LEARNING_RATE]: f32([], Float32Array.of(task.learningRate)),
  };
  const inputs = new Map(model.graph.inputs.map((value) => [value.name, value.dims]));
  for (const { name, target, mask } of losses) {
    const dims = (inputs.get(target) ?? []).map((d) => (typeof d === 'number' ? d : n));
    const data = targets[name];
    feeds[target] = { type: data instanceof BigInt64Array ? 'int64' : 'float32', dims, data };
    feeds[mask] = f32([n], masks[name]);
  }
  for (const { name, dims, offset, size } of layout)
    feeds[name] = f32(dims, state.subarray(offset, offset + size));
  const results = await session.run(feeds);
  for (const { output, offset } of layout) task.next.set(results[output], offset);
  return Object.fromEntries(losses.map(({ name }) => [name, results[lossOf(name)][0]]));
}

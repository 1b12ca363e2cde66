/**
 * A network in training as a worker holds it: one file, from which the step, the attacks on it and its scores are
 * compiled. All of them take the weights as inputs from the state that the whole training shares, so nothing is written
 * or opened anew when the weights move.
 */
import { type Layout, layoutOf, type Slot } from '@facet/learning';
import {
  compileTraining,
  inferShapes,
  learning,
  type Prepared,
  readModel,
  type TrainingStep,
} from '@facet/onnx';
import type { TrainedGraph } from '../training-tasks.js';
import { f32, type Values } from './sessions.js';

export interface OpenedTraining {
  readonly step: TrainingStep;
  readonly layout: Layout;
  /** The inference graph, for attacks and scores. */
  readonly prepared: Prepared;
  /** Names of the weights and running moments that are fed. */
  readonly fed: readonly string[];
}

const opened = new Map<string, OpenedTraining>();

/** The last one is kept. Errors: ModelError naming what of the network cannot be trained. */
export function openTraining({ id, model, spec }: Omit<TrainedGraph, 'state'>): OpenedTraining {
  const known = opened.get(id);
  if (known !== undefined) return known;
  const read = readModel(Uint8Array.from(model));
  const step = compileTraining(learning(read, spec), spec);
  const layout = layoutOf(step);
  const { input, channels, height, width } = spec;
  const dims = new Map([[input, [{ perSample: 1 }, channels, height, width]]]);
  const found = {
    step,
    layout,
    prepared: { model: read, shapes: inferShapes(read.graph, dims) },
    fed: [...layout.weights, ...layout.moments].map(({ name }) => name),
  };
  opened.clear();
  opened.set(id, found);
  return found;
}

/** The state as feeds, of a copy in `room` [partSize], since the runtime takes no shared memory. */
export function stateFeeds(
  { weights, moments, partSize }: Layout,
  state: Float32Array,
  room = new Float32Array(partSize),
): Readonly<Record<string, Values>> {
  room.set(state.subarray(0, partSize));
  return slotsOf([...weights, ...moments], room, ({ name }) => name);
}

/** What stands in `data` at some places of a layout, by names that follow from theirs. */
export const slotsOf = (
  slots: readonly Slot[],
  data: Float32Array,
  nameOf: (slot: Slot) => string,
): Readonly<Record<string, Values>> =>
  Object.fromEntries(
    slots.map((slot) => [nameOf(slot), f32(slot.dims, data.subarray(slot.offset, slot.offset + slot.size))]),
  );

/**
 * One update of all weights by the mean gradient of a batch's parts. The state lies in one array, the gradients of each
 * part in another: first all weights, then all running moments, then, in the state alone, each memory of the optimiser
 * in the order of the weights. Whoever updates a piece of it gets the bits that whoever updates all would get.
 */
import type { Parameter, Tensor, TrainingStep } from '@facet/onnx';
import {
  memoryOf,
  type Optimiser,
  optimiserOf,
  type UpdateOptions,
  type Updating,
} from './optimiser/index.js';
import type { TrainerState } from './trainer.js';

/** A weight's or running moment's place, in elements. */
export interface Slot extends Parameter {
  readonly offset: number;
  readonly size: number;
}

export interface WeightSlot extends Slot {
  readonly decays: boolean;
}

export interface Layout {
  readonly weights: readonly WeightSlot[];
  readonly moments: readonly Slot[];
  /** Elements of all weights. */
  readonly weightSize: number;
  /** Elements of what one part of a batch gives: gradients and next moments. */
  readonly partSize: number;
}

export function layoutOf({ weights, moments }: Pick<TrainingStep, 'weights' | 'moments'>): Layout {
  let offset = 0;
  const placed = <T extends Parameter>(parameter: T): T & Slot => {
    const size = parameter.dims.reduce((product, n) => product * n, 1);
    const slot = { ...parameter, offset, size };
    offset += size;
    return slot;
  };
  const placedWeights = weights.map(placed);
  const weightSize = offset;
  const placedMoments = moments.map(placed);
  return { weights: placedWeights, moments: placedMoments, weightSize, partSize: offset };
}

/** Elements of the whole state. */
export const stateSize = ({ weightSize, partSize }: Layout, { memory }: Optimiser): number =>
  partSize + memory.length * weightSize;

/** Where a weight's memories lie in the state. */
const memories = (
  layout: Layout,
  optimiser: Optimiser,
  { offset, size }: Slot,
  state: Float32Array,
): Float32Array[] =>
  optimiser.memory.map((_, i) => {
    const from = layout.partSize + i * layout.weightSize + offset;
    return state.subarray(from, from + size);
  });

/** Names and places of everything in the state. */
function* places(layout: Layout, { memory }: Pick<Optimiser, 'memory'>): Generator<Slot> {
  yield* layout.weights;
  yield* layout.moments;
  for (const [i, name] of memory.entries())
    for (const weight of layout.weights)
      yield {
        ...weight,
        name: memoryOf(name, weight.name),
        offset: layout.partSize + i * layout.weightSize + weight.offset,
      };
}

/** The state as tensors by name. */
export const unpackState = (layout: Layout, optimiser: Optimiser, flat: Float32Array): TrainerState =>
  new Map(
    [...places(layout, optimiser)].map(({ name, dims, offset, size }): [string, Tensor] => [
      name,
      { type: 'float32', dims, data: flat.slice(offset, offset + size) },
    ]),
  );

/** Errors: RangeError where a tensor is missing or has another size. */
export function packState(
  layout: Layout,
  optimiser: Pick<Optimiser, 'memory'>,
  state: TrainerState,
  into: Float32Array,
): void {
  for (const { name, offset, size } of places(layout, optimiser)) {
    const tensor = state.get(name);
    if (tensor?.data.length !== size)
      throw new RangeError(`${name} has ${tensor?.data.length ?? 'no'} values, the network wants ${size}`);
    into.set(tensor.data as Float32Array, offset);
  }
}

/** The state before the first step: weights and moments as given, and what the optimiser then remembers. */
export function withInitialMemory(layout: Layout, optimiser: Optimiser, initial: TrainerState): TrainerState {
  const remembered = optimiser.memory.flatMap((memory) =>
    layout.weights.map(({ name, dims }): [string, Tensor] => {
      const data = optimiser.initial(memory, initial.get(name)!.data as Float32Array);
      return [memoryOf(memory, name), { type: 'float32', dims, data }];
    }),
  );
  return new Map([...initial, ...remembered]);
}

/** The mean over the parts from `offset` on, summed in the parts' order and rounded once. */
function mean(parts: readonly Float32Array[], { offset, size }: Slot, into: Float32Array): void {
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (const part of parts) sum += part[offset + i];
    into[i] = sum / parts.length;
  }
}

/** The squared Euclidean length of a weight's mean gradient. */
export function squaredNorm(parts: readonly Float32Array[], slot: Slot): number {
  const gradient = new Float32Array(slot.size);
  mean(parts, slot, gradient);
  let sum = 0;
  for (const g of gradient) sum += g * g;
  return sum;
}

/** What gradients of that length are multiplied by, so that none is longer than `clipNorm` (Pascanu et al., 2013). */
export const clipScale = (squared: readonly number[], clipNorm: number): number =>
  Math.min(1, clipNorm / (Math.sqrt(squared.reduce((sum, one) => sum + one, 0)) + 1e-6));

export interface UpdateState {
  readonly state: Float32Array;
  readonly next: Float32Array;
  /** What each part of the batch gave. */
  readonly parts: readonly Float32Array[];
  /** Of all gradients; see {@link clipScale}. */
  readonly scale: number;
}

/** The next weight with its memories. */
export function updateWeight(
  layout: Layout,
  optimiser: Optimiser,
  slot: WeightSlot,
  { state, next, parts, scale }: UpdateState,
  options: UpdateOptions,
): void {
  const { offset, size, decays } = slot;
  const gradient = new Float32Array(size);
  mean(parts, slot, gradient);
  if (scale !== 1) for (let i = 0; i < size; i++) gradient[i] *= scale;
  optimiser.update(
    {
      weight: state.subarray(offset, offset + size),
      nextWeight: next.subarray(offset, offset + size),
      gradient,
      memory: memories(layout, optimiser, slot, state),
      nextMemory: memories(layout, optimiser, slot, next),
      decays,
    },
    options,
  );
}

/** The next running moment: the mean over the parts, each with its own batch statistics. */
export const updateMoment = (slot: Slot, { next, parts }: Pick<UpdateState, 'next' | 'parts'>): void =>
  mean(parts, slot, next.subarray(slot.offset, slot.offset + slot.size));

/** The whole update at once, for whoever has no pieces: the state after a step whose parts gave these arrays. */
export function nextState(
  layout: Layout,
  updating: Updating,
  before: TrainerState,
  parts: readonly Float32Array[],
  options: UpdateOptions,
): TrainerState {
  const optimiser = optimiserOf(updating);
  const state = new Float32Array(stateSize(layout, optimiser));
  packState(layout, optimiser, before, state);
  const { clipNorm } = updating;
  const norms = layout.weights.map((slot) => squaredNorm(parts, slot));
  const update = {
    state,
    next: state,
    parts,
    scale: clipNorm === undefined ? 1 : clipScale(norms, clipNorm),
  };
  for (const slot of layout.weights) updateWeight(layout, optimiser, slot, update, options);
  for (const slot of layout.moments) updateMoment(slot, update);
  return unpackState(layout, optimiser, state);
}

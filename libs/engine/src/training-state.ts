/** A training's state in one array: every weight, momentum and running statistic at its place. */
import { type Model, nextOf, stateNames, type Tensor, type TrainingState } from '@facet/onnx';

export interface StateSlot {
  readonly name: string;
  /** Output of the step that holds its next value. */
  readonly output: string;
  readonly dims: readonly number[];
  /** In elements. */
  readonly offset: number;
  readonly size: number;
}

/** The places of a compiled step's state. */
export function stateLayout(step: Model): StateSlot[] {
  const inputs = new Map(step.graph.inputs.map((input) => [input.name, input]));
  let offset = 0;
  return stateNames(step).map((name) => {
    const dims = (inputs.get(name)?.dims ?? []).map(Number);
    const size = dims.reduce((product, d) => product * d, 1);
    const slot = { name, output: nextOf(name), dims, offset, size };
    offset += size;
    return slot;
  });
}

export const stateSize = (layout: readonly StateSlot[]): number =>
  layout.reduce((sum, { size }) => sum + size, 0);

/** Mean of the parts' states, in the order of the parts, each value rounded once. */
export function meanState(states: readonly Float32Array[]): Float32Array {
  if (states.length === 1) return Float32Array.from(states[0]);
  const mean = new Float32Array(states[0].length);
  for (let i = 0; i < mean.length; i++) {
    let sum = 0;
    for (const state of states) sum += state[i];
    mean[i] = sum / states.length;
  }
  return mean;
}

export const unpackState = (layout: readonly StateSlot[], flat: Float32Array): TrainingState =>
  new Map(
    layout.map(({ name, dims, offset, size }): [string, Tensor] => [
      name,
      { type: 'float32', dims, data: flat.slice(offset, offset + size) },
    ]),
  );

/** Errors: RangeError where a tensor is missing or has another size. */
export function packState(layout: readonly StateSlot[], state: TrainingState, into: Float32Array): void {
  for (const { name, offset, size } of layout) {
    const tensor = state.get(name);
    if (tensor?.data.length !== size)
      throw new RangeError(`${name} has ${tensor?.data.length ?? 'no'} values, the network wants ${size}`);
    into.set(tensor.data as Float32Array, offset);
  }
}

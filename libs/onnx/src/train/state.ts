/** What a training step carries from one step to the next, and the way back to a model that only infers. */
import { ModelError } from '../errors.js';
import type { Model, Tensor } from '../graph.js';
import { tensorF32 } from '../builder.js';
import { nextOf } from './spec.js';

/** Weights, running moments and momenta by name. */
export type TrainingState = ReadonlyMap<string, Tensor>;

const PREFIX = nextOf('');

/** The names of a step's state: its inputs, each with the output `next/<name>`. */
export const stateNames = (step: Model): readonly string[] =>
  step.graph.outputs.flatMap(({ name }) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));

/** The state before the first step: the model's own weights and moments, and momenta of zero. */
export function initialState(model: Model, step: Model): TrainingState {
  const inputs = new Map(step.graph.inputs.map((input) => [input.name, input]));
  return new Map(
    stateNames(step).map((name) => {
      const known = model.graph.initializers.get(name);
      if (known !== undefined) return [name, known];
      const dims = inputs.get(name)!.dims.map(Number);
      return [name, tensorF32(dims, new Float32Array(dims.reduce((a, n) => a * n, 1)))];
    }),
  );
}

/**
 * The model with the state's weights and running moments in place of its own; momenta are left out.
 * @throws ModelError where a tensor's shape or type is another one
 */
export function inferenceModel(model: Model, state: TrainingState): Model {
  const initializers = new Map(
    [...model.graph.initializers].map(([name, own]) => {
      const trained = state.get(name);
      if (trained === undefined) return [name, own];
      if (trained.type !== own.type || trained.dims.join() !== own.dims.join())
        throw new ModelError(
          'invalid',
          `is ${trained.type} [${trained.dims.join()}] instead of ${own.type} [${own.dims.join()}]`,
          name,
        );
      return [name, trained];
    }),
  );
  return { ...model, graph: { ...model.graph, initializers } };
}

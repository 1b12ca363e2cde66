/** What a network learns, and the way back to a model that only infers. */
import { ModelError } from '../errors.js';
import type { Model, Tensor } from '../graph.js';
import { withoutDead } from '../graph-tools/walk.js';
import type { TrainingStep } from './compile.js';
import type { TrainingSpec } from './spec.js';

/** Tensors by name: weights, running moments, and what an optimiser remembers. */
export type TrainingState = ReadonlyMap<string, Tensor>;

/** The part of a model that losses depend on: what else it holds stays as it is in a training. */
export function learning(model: Model, { losses }: Pick<TrainingSpec, 'losses'>): Model {
  const read = losses.map(({ output }) => output);
  const graph = withoutDead(model.graph, read);
  const outputs = graph.outputs.filter(({ name }) => read.includes(name));
  return { ...model, graph: { ...graph, outputs } };
}

/** Weights and running moments before the first step: the model's own. */
export const initialState = (model: Model, { weights, moments }: TrainingStep): TrainingState =>
  new Map([...weights, ...moments].map(({ name }) => [name, model.graph.initializers.get(name)!]));

/**
 * The model with the state's weights and running moments in place of its own; what else the state holds is left out.
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

/** The port on one ONNX Runtime session in this thread: enough for tests. */
import {
  compileTraining,
  gradientOf,
  initialState,
  lossOf,
  type Model,
  nextOf,
  type TrainingSpec,
  writeModel,
} from '@facet/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { optimiserOf, type Updating } from './optimiser/index.js';
import { averageResults, splitBatch } from './parts.js';
import type { StepResult, Trainer, TrainingBatch } from './trainer.js';
import { layoutOf, nextState, withInitialMemory } from './update.js';

export async function sessionTrainer(model: Model, spec: TrainingSpec, updating: Updating): Promise<Trainer> {
  const compiled = compileTraining(model, spec);
  const session = await InferenceSession.create(writeModel(compiled.model), {
    graphOptimizationLevel: 'extended',
    intraOpNumThreads: 1,
  });
  const dims = new Map(compiled.model.graph.inputs.map((input) => [input.name, input.dims]));
  const layout = layoutOf(compiled);
  let state = withInitialMemory(layout, optimiserOf(updating), initialState(model, compiled));
  let open = true;

  async function partial(batch: TrainingBatch): Promise<[Float32Array, StepResult]> {
    const feed = (name: string, data: Float32Array | BigInt64Array): [string, Tensor] => {
      const shape = dims.get(name)!.map((dim) => (typeof dim === 'number' ? dim : batch.size));
      return [
        name,
        data instanceof Float32Array ? new Tensor('float32', data, shape) : new Tensor('int64', data, shape),
      ];
    };
    const results = await session.run(
      Object.fromEntries([
        feed(spec.input, batch.pixels),
        ...spec.losses.flatMap(({ name, target, mask }) => [
          feed(target, batch.targets[name]),
          feed(mask, batch.masks[name]),
        ]),
        ...[...layout.weights, ...layout.moments].map(({ name }) =>
          feed(name, state.get(name)!.data as Float32Array),
        ),
      ]),
    );
    const given = new Float32Array(layout.partSize);
    for (const { name, offset } of layout.weights)
      given.set(results[gradientOf(name)].data as Float32Array, offset);
    for (const { name, offset } of layout.moments)
      given.set(results[nextOf(name)].data as Float32Array, offset);
    const losses = spec.losses.map(({ name }) => [name, Number(results[lossOf(name)].data[0])] as const);
    return [given, { losses: Object.fromEntries(losses) }];
  }

  return {
    async step(batch, { signal, ...options }) {
      const parts: [Float32Array, StepResult][] = [];
      for (const part of splitBatch(batch)) {
        signal?.throwIfAborted();
        parts.push(await partial(part));
      }
      const given = parts.map(([part]) => part);
      state = nextState(layout, updating, state, given, options);
      return averageResults(parts.map(([, result]) => result));
    },
    state: () => Promise.resolve(state),
    load(given) {
      state = given;
      return Promise.resolve();
    },
    async close() {
      if (open) await session.release();
      open = false;
    },
  };
}

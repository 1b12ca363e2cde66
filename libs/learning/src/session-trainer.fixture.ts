/** The port on one ONNX Runtime session in this thread: enough for tests. */
import {
  compileTraining,
  initialState,
  type Model,
  nextOf,
  stateNames,
  tensorF32,
  writeModel,
} from '@facet/onnx';
import { LEARNING_RATE, lossOf, type TrainingSpec } from '@facet/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { averageResults, averageStates, splitBatch } from './parts.js';
import type { StepResult, Trainer, TrainerState, TrainingBatch } from './trainer.js';

export async function sessionTrainer(model: Model, spec: TrainingSpec): Promise<Trainer> {
  const step = compileTraining(model, spec);
  const session = await InferenceSession.create(writeModel(step), {
    graphOptimizationLevel: 'extended',
    intraOpNumThreads: 1,
  });
  const dims = new Map(step.graph.inputs.map((input) => [input.name, input.dims]));
  let state: TrainerState = initialState(model, step);
  let open = true;

  async function partial(batch: TrainingBatch, rate: number): Promise<[TrainerState, StepResult]> {
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
        feed(LEARNING_RATE, Float32Array.of(rate)),
        ...spec.losses.flatMap(({ name, target, mask }) => [
          feed(target, batch.targets[name]),
          feed(mask, batch.masks[name]),
        ]),
        ...[...state].map(([name, tensor]) => feed(name, tensor.data as Float32Array)),
      ]),
    );
    const next = stateNames(step).map((name) => {
      const { dims: shape, data } = results[nextOf(name)];
      return [name, tensorF32(shape, data as Float32Array)] as const;
    });
    const losses = spec.losses.map(({ name }) => [name, Number(results[lossOf(name)].data[0])] as const);
    return [new Map(next), { losses: Object.fromEntries(losses) }];
  }

  return {
    async step(batch, { learningRate, signal }) {
      const parts: [TrainerState, StepResult][] = [];
      for (const part of splitBatch(batch)) {
        signal?.throwIfAborted();
        parts.push(await partial(part, learningRate));
      }
      state = averageStates(parts.map(([next]) => next));
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

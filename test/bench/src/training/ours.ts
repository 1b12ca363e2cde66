/** Our own training, as anybody runs it: the engine's trainer, a worker thread per core, a part of the batch for each. */
import type { Trainer, TrainingBatch } from '@facet/learning';
import { Engine, OnnxTrainer } from '@facet/engine';
import { compileTraining } from '@facet/onnx';
import { type Sample, timed } from '../frame/interleave.js';
import type { Course } from './pytorch.js';
import { batchOf, LEARNING_RATE, type TrainingTask, UPDATING } from './task.js';

export class Ours {
  readonly #engine: Engine;
  readonly #trainer: OnnxTrainer;
  readonly #task: TrainingTask;
  readonly #parts: number;
  readonly #first: TrainingBatch;
  #steps = 0;

  constructor(task: TrainingTask, cores: number, parts = cores) {
    this.#task = task;
    this.#parts = parts;
    this.#first = batchOf(task, 0, parts);
    this.#engine = new Engine({ threads: cores });
    this.#trainer = new OnnxTrainer(this.#engine, { ...task, updating: UPDATING, parts });
  }

  /** Times one step on the first batch. */
  time(): Promise<Sample> {
    const options = { learningRate: LEARNING_RATE, step: this.#steps++ };
    return timed(() => this.#trainer.step(this.#first, options));
  }

  train(steps: number): Promise<Course> {
    return courseOf(this.#trainer, this.#task, steps, this.#parts);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** Trains that many steps from where the trainer stands. */
export async function courseOf(
  trainer: Trainer,
  task: TrainingTask,
  steps: number,
  parts: number,
): Promise<Course> {
  const losses: Readonly<Record<string, number>>[] = [];
  for (let step = 0; step < steps; step++) {
    const done = await trainer.step(batchOf(task, step, parts), { learningRate: LEARNING_RATE, step });
    losses.push(done.losses);
  }
  const { weights, moments } = compileTraining(task.model, task.spec);
  const state = await trainer.state();
  const trained = [...weights, ...moments].flatMap(({ name }) => [
    ...(state.get(name)!.data as Float32Array),
  ]);
  return { losses, trained: Float64Array.from(trained) };
}

/**
 * The Trainer port on ONNX Runtime: every part of a batch is one session's whole training step in a worker thread. The
 * state lives in shared memory, two copies per part, so that a part can read where the last step ended while another one
 * already writes. The state is the mean of the parts' copies; `splitBatch` in `learning` says why.
 */
import { createHash } from 'node:crypto';
import {
  averageResults,
  splitBatch,
  type StepOptions,
  type StepResult,
  type Trainer,
  type TrainerState,
  type TrainingBatch,
} from '@facet/learning';
import { compileTraining, initialState, type Model, type TrainingSpec, writeModel } from '@facet/onnx';
import type { Engine } from './engine.js';
import { share } from './model-source.js';
import {
  meanState,
  packState,
  stateLayout,
  stateSize,
  type StateSlot,
  unpackState,
} from './training-state.js';

export interface OnnxTrainerOptions {
  /** The inference graph with its initial weights. */
  readonly model: Model;
  readonly spec: TrainingSpec;
  /** Of every batch. */
  readonly parts: number;
}

const sharedFloats = (size: number): Float32Array =>
  new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT));

export class OnnxTrainer implements Trainer {
  readonly #id: string;
  readonly #bytes: Uint8Array;
  readonly #layout: readonly StateSlot[];
  /** Where the last step left its state, and where the next one will; they change places. */
  #current: readonly Float32Array[];
  #next: readonly Float32Array[];

  constructor(
    private readonly engine: Engine,
    private readonly options: OnnxTrainerOptions,
  ) {
    const { model, spec, parts } = options;
    const step = compileTraining(model, spec);
    this.#layout = stateLayout(step);
    const bytes = writeModel(model);
    this.#id = createHash('sha256').update(bytes).update(JSON.stringify(spec)).digest('hex');
    this.#bytes = share(bytes);
    const copies = (): Float32Array[] =>
      Array.from({ length: parts }, () => sharedFloats(stateSize(this.#layout)));
    this.#current = copies();
    this.#next = copies();
    this.#set(initialState(model, step));
  }

  /** A step that fails leaves the state as it was: only the other copies were written. */
  async step(batch: TrainingBatch, { learningRate, signal }: StepOptions): Promise<StepResult> {
    const { parts, spec } = this.options;
    if (batch.parts !== parts)
      throw new RangeError(`the batch has ${batch.parts} parts, the training was opened for ${parts}`);
    const results = await Promise.all(
      splitBatch(batch).map(async (part, i) => {
        const task = {
          id: this.#id,
          model: this.#bytes,
          spec,
          previous: this.#current,
          next: this.#next[i],
          learningRate,
          batch: part,
        };
        return { losses: await this.engine.train(i, task, signal) };
      }),
    );
    [this.#current, this.#next] = [this.#next, this.#current];
    return averageResults(results);
  }

  state(): Promise<TrainerState> {
    return Promise.resolve(unpackState(this.#layout, meanState(this.#current)));
  }

  /** Async, so that a state of another network rejects. */
  async load(state: TrainerState): Promise<void> {
    this.#set(state);
  }

  /** The engine's workers are its owner's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #set(state: TrainerState): void {
    for (const copy of this.#current) packState(this.#layout, state, copy);
  }
}

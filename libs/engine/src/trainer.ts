/**
 * The Trainer port on ONNX Runtime: every part of a batch is one session's whole training step in a worker thread. The
 * state lives in shared memory, two copies per part, so that a part can read where the last step ended while another one
 * already writes. The state is the mean of the parts' copies, which is one update with the mean gradient, since SGD with
 * momentum is linear in the gradient.
 */
import { createHash } from 'node:crypto';
import type { StepOptions, StepResult, Trainer, TrainingBatch } from '@facet/learning';
import {
  compileTraining,
  initialState,
  type Model,
  type TrainingSpec,
  type TrainingState,
  writeModel,
} from '@facet/onnx';
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
  /** Parts of a batch, each with batch statistics of its own; they belong to the recipe, unlike threads. */
  readonly parts: number;
}

const sharedFloats = (size: number): Float32Array =>
  new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT));

/** Rows `from`..`to` of an array of `n` rows. */
function rows(data: Float32Array, n: number, from: number, to: number): Float32Array {
  const size = data.length / n;
  return data.slice(from * size, to * size);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

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

  async step(batch: TrainingBatch, { learningRate, signal }: StepOptions): Promise<StepResult> {
    const { parts, spec } = this.options;
    if (batch.n % parts !== 0) throw new RangeError(`a batch of ${batch.n} has no ${parts} equal parts`);
    const size = batch.n / parts;
    const losses = await Promise.all(
      this.#next.map((next, part) => {
        const [from, to] = [part * size, (part + 1) * size];
        return this.engine.train(
          part,
          {
            id: this.#id,
            model: this.#bytes,
            spec,
            previous: this.#current,
            next,
            n: size,
            pixels: rows(batch.pixels, batch.n, from, to),
            targets: mapValues(batch.targets, (target) => ({
              ...target,
              data: rows(target.data, batch.n, from, to),
            })),
            masks: mapValues(batch.masks, (mask) => mask.slice(from, to)),
            learningRate,
          },
          signal,
        );
      }),
    );
    [this.#current, this.#next] = [this.#next, this.#current];
    const mean = (name: string): number => losses.reduce((sum, part) => sum + part[name], 0) / parts;
    return { losses: Object.fromEntries(spec.losses.map(({ name }) => [name, mean(name)])) };
  }

  state(): Promise<TrainingState> {
    return Promise.resolve(unpackState(this.#layout, meanState(this.#current)));
  }

  load(state: TrainingState): Promise<void> {
    this.#set(state);
    return Promise.resolve();
  }

  /** The engine's workers are its owner's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #set(state: TrainingState): void {
    for (const copy of this.#current) packState(this.#layout, state, copy);
  }
}

/**
 * The Trainer port on ONNX Runtime, and those of attacks and validation on the same weights: every part of a batch is a session's forward and backward pass in a worker thread, and
 * the weights are updated in pieces by all of them. The state lies in shared memory, twice, so that the next one is
 * written while the last one still stands; a step that fails leaves that as it was.
 */
import { createHash } from 'node:crypto';
import {
  averageResults,
  type BatchAttack,
  clipScale,
  type InnerMaximisation,
  type LabelledBatch,
  type Layout,
  layoutOf,
  type Optimiser,
  optimiserOf,
  packState,
  type Priors,
  publishedState,
  type SampleBatch,
  type Scores,
  splitBatch,
  stateSize,
  type StepOptions,
  type StepResult,
  type Trainer,
  type TrainerState,
  type TrainingBatch,
  unpackState,
  type Updating,
  type Validator,
  withInitialMemory,
} from '@facet/learning';
import {
  compileTraining,
  initialState,
  learning,
  type Model,
  type TrainingSpec,
  writeModel,
} from '@facet/onnx';
import type { Engine } from './engine.js';
import { share } from './model-source.js';
import type { Attackable } from './training-tasks.js';

export interface OnnxTrainerOptions {
  /** The inference graph with its initial weights; over `pixels` in [0,1], RGB, where it is attacked or validated. */
  readonly model: Model;
  readonly spec: TrainingSpec;
  readonly updating: Updating;
  /** Of every batch. */
  readonly parts: number;
  /** For attacks and validation. */
  readonly network?: Attackable;
}

/** Of a state that only scores. */
const NO_MEMORY = { memory: [] };

const sharedFloats = (size: number): Float32Array =>
  new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT));

export class OnnxTrainer implements Trainer, InnerMaximisation, Validator {
  readonly #id: string;
  readonly #bytes: Uint8Array;
  readonly #layout: Layout;
  readonly #optimiser: Optimiser;
  /** Where the last step left its state, and where the next one will; they change places. */
  #current: Float32Array;
  #next: Float32Array;
  /** What each part of a batch gives. */
  readonly #parts: readonly Float32Array[];
  /** Of the batch that workers have last been given parts of. */
  #pixels = sharedFloats(0);
  #priors: Priors = new Map();
  /** How often priors were fitted. */
  #fits = 0;

  constructor(
    private readonly engine: Engine,
    private readonly options: OnnxTrainerOptions,
  ) {
    const { model, spec, parts, updating } = options;
    const step = compileTraining(learning(model, spec), spec);
    this.#layout = layoutOf(step);
    this.#optimiser = optimiserOf(updating);
    const bytes = writeModel(model);
    this.#id = createHash('sha256').update(bytes).update(JSON.stringify(spec)).digest('hex');
    this.#bytes = share(bytes);
    const size = stateSize(this.#layout, this.#optimiser);
    [this.#current, this.#next] = [sharedFloats(size), sharedFloats(size)];
    this.#parts = Array.from({ length: parts }, () => sharedFloats(this.#layout.partSize));
    this.#set(withInitialMemory(this.#layout, this.#optimiser, initialState(model, step)));
  }

  async step(batch: TrainingBatch, { signal, ...options }: StepOptions): Promise<StepResult> {
    const { parts } = this.options;
    if (batch.parts !== parts)
      throw new RangeError(`the batch has ${batch.parts} parts, the training was opened for ${parts}`);
    const results = await Promise.all(
      this.#split(batch).map(async (part, i) => {
        const task = { ...this.#graph(), given: this.#parts[i], batch: part };
        return { losses: await this.engine.train(i, task, signal) };
      }),
    );
    const update = {
      layout: this.#layout,
      updating: this.options.updating,
      state: this.#current,
      next: this.#next,
      parts: this.#parts,
      scale: await this.#scale(),
      options,
    };
    await Promise.all(this.#pieces().map((piece) => this.engine.update({ ...update, ...piece })));
    [this.#current, this.#next] = [this.#next, this.#current];
    return averageResults(results);
  }

  async attack(
    batch: LabelledBatch,
    { epsilon, seed, parts }: BatchAttack,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const network = this.#network();
    const within = batch.size / parts.length;
    const attacked = this.#split(batch).map((part, i) => {
      const labels = batch.labels.slice(i * within, (i + 1) * within);
      const about = { epsilon, seed, part: i, groups: parts[i], priors: this.#priors, fit: this.#fits };
      return this.engine.perturb(
        i,
        { ...this.#graph(), ...network, ...about, batch: { ...part, labels } },
        signal,
      );
    });
    const pixels = new Float32Array(batch.pixels.length);
    (await Promise.all(attacked)).forEach((part, i) => pixels.set(part, i * part.length));
    return pixels;
  }

  async fitPriors({ pixels, labels }: SampleBatch, signal?: AbortSignal): Promise<Priors> {
    const task = { ...this.#graph(), network: this.#network(), samples: { pixels, labels } };
    this.usePriors(await this.engine.fitPriors(task, signal));
    return this.#priors;
  }

  usePriors(priors: Priors): void {
    this.#priors = priors;
    this.#fits++;
  }

  async score(
    { pixels, labels }: SampleBatch,
    attack: Pick<BatchAttack, 'epsilon' | 'seed'> | undefined,
    signal?: AbortSignal,
  ): Promise<Scores> {
    const state = sharedFloats(this.#layout.partSize);
    const { updating } = this.options;
    packState(this.#layout, NO_MEMORY, publishedState(await this.state(), updating), state);
    const network = this.#network();
    const n = labels.length;
    const width = pixels.length / n;
    const share = Math.ceil(n / this.engine.threads);
    const pieces = Array.from({ length: Math.ceil(n / share) }, (_, i) => i * share);
    const found = await Promise.all(
      pieces.map((first) => {
        const piece = {
          pixels: pixels.subarray(first * width, (first + share) * width),
          labels: labels.subarray(first, first + share),
        };
        const task = { ...this.#graph(), state, network, ...piece };
        return this.engine.score({ ...task, ...(attack && { attack: { ...attack, first } }) }, signal);
      }),
    );
    const joined = (parts: readonly Float64Array[]): Float64Array =>
      Float64Array.from(parts.flatMap((part) => [...part]));
    return {
      clean: joined(found.map(({ clean }) => clean)),
      ...(attack && { attacked: joined(found.map(({ attacked }) => attacked!)) }),
    };
  }

  state(): Promise<TrainerState> {
    return Promise.resolve(unpackState(this.#layout, this.#optimiser, this.#current));
  }

  /** Async, so that a state of another network rejects. */
  async load(state: TrainerState): Promise<void> {
    this.#set(state);
  }

  /** The engine's workers are its owner's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The parts with pixels in shared memory: of a view of any other a worker would get all that it is a part of. */
  #split(batch: TrainingBatch): readonly TrainingBatch[] {
    if (this.#pixels.length !== batch.pixels.length) this.#pixels = sharedFloats(batch.pixels.length);
    this.#pixels.set(batch.pixels);
    return splitBatch({ ...batch, pixels: this.#pixels });
  }

  #graph() {
    return { id: this.#id, model: this.#bytes, spec: this.options.spec, state: this.#current };
  }

  #network(): Attackable {
    const { network } = this.options;
    if (network === undefined) throw new RangeError('the trainer was not told what can be attacked');
    return network;
  }

  /** What the gradients are multiplied by. */
  async #scale(): Promise<number> {
    const { clipNorm } = this.options.updating;
    if (clipNorm === undefined) return 1;
    const tasks = this.#pieces().map(({ weights }) =>
      this.engine.gradientNorms({ layout: this.#layout, parts: this.#parts, weights }),
    );
    return clipScale((await Promise.all(tasks)).flat(), clipNorm);
  }

  /** A piece of the weights per worker, of about the same number of elements; the first one takes the moments too. */
  #pieces(): { weights: readonly [number, number]; moments: boolean }[] {
    const { weights, weightSize } = this.#layout;
    const share = weightSize / this.engine.threads;
    const bounds = Array.from({ length: this.engine.threads + 1 }, (_, i) => {
      const first = weights.findIndex(({ offset }) => offset >= i * share);
      return i === this.engine.threads || first < 0 ? weights.length : first;
    });
    return bounds
      .slice(1)
      .map((to, i) => ({ weights: [bounds[i], to] as const, moments: i === 0 }))
      .filter(({ weights: [from, to], moments }) => to > from || moments);
  }

  #set(state: TrainerState): void {
    packState(this.#layout, this.#optimiser, state, this.#current);
  }
}

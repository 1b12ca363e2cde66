/**
 * Which samples make up a step, and how they are changed. Everything follows from the recipe's seed and the step's
 * number: nothing has to be stored to continue a training in the middle of an epoch.
 */
import { Random } from '@facet/random';
import { augment, type Augmentation, drawChange } from './augment.js';
import type { Samples } from './samples.js';
import type { TrainingBatch } from './trainer.js';

export interface BatchOptions {
  readonly seed: number;
  readonly batch: number;
  readonly parts: number;
  readonly augmentation: Augmentation;
}

/** A batch, and what the decision should be on its samples: 0 live, 1 spoof; [size]. */
export interface LabelledBatch extends TrainingBatch {
  readonly labels: Uint8Array;
}

export class Batches {
  /** Steps per epoch; what does not fill a batch is left out, and is another part of the data in every epoch. */
  readonly perEpoch: number;
  #order: { readonly epoch: number; readonly indices: Uint32Array } | undefined;

  /** @throws RangeError where the samples do not fill a batch, or the batch has no equal parts */
  constructor(
    readonly samples: Samples,
    readonly options: BatchOptions,
  ) {
    const { batch, parts } = options;
    this.perEpoch = Math.floor(samples.n / batch);
    if (this.perEpoch === 0)
      throw new RangeError(`${samples.n} training samples do not fill a batch of ${batch}`);
    if (batch % parts !== 0) throw new RangeError(`a batch of ${batch} has no ${parts} equal parts`);
  }

  epochOf(step: number): number {
    return Math.floor(step / this.perEpoch);
  }

  /** The samples of a step, in order. */
  indices(step: number): Uint32Array {
    const epoch = this.epochOf(step);
    if (this.#order?.epoch !== epoch) {
      const random = new Random(this.options.seed, 'shuffle', epoch);
      this.#order = { epoch, indices: random.permutation(this.samples.n) };
    }
    const start = (step % this.perEpoch) * this.options.batch;
    return this.#order.indices.slice(start, start + this.options.batch);
  }

  async get(step: number, signal?: AbortSignal): Promise<LabelledBatch> {
    const { seed, batch: size, parts, augmentation } = this.options;
    const indices = this.indices(step);
    const drawn = await this.samples.get(indices, signal);
    const changes = Array.from(indices, (index) =>
      drawChange(new Random(seed, 'augment', this.epochOf(step), index), augmentation),
    );
    augment(drawn, this.samples, changes);
    return {
      size,
      parts,
      pixels: drawn.pixels,
      labels: drawn.labels,
      targets: Object.fromEntries(Object.entries(drawn.targets).map(([name, target]) => [name, target.data])),
      masks: drawn.masks,
    };
  }
}

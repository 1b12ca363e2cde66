/**
 * The training loop. Its state is the trainer's state and the number of the next step; everything else follows from
 * the recipe, so a training that continues from a checkpoint gives the bits of one that was never interrupted.
 */
import type { TrainingRecipe } from '@facet/contracts';
import { type Augmentation, DEFAULT_AUGMENTATION } from './augment.js';
import { Batches } from './batches.js';
import type { Samples } from './samples.js';
import { learningRateAt } from './schedule.js';
import type { Named, Trainer, TrainerState, TrainingBatch } from './trainer.js';

/** The part of a recipe that the loop reads. */
export type LoopRecipe = Pick<
  TrainingRecipe,
  'seed' | 'epochs' | 'batch' | 'parts' | 'learningRate' | 'warmupSteps' | 'schedule' | 'checkpointSteps'
>;

/** Steps and epochs that are done, and the state after them. */
export interface Checkpoint {
  readonly step: number;
  readonly epoch: number;
  readonly state: TrainerState;
}

export interface StepReport {
  /** Steps that are done, this one included, and all of them. */
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly losses: Named<number>;
}

export interface TrainOptions {
  /** Holds the initial state, or is given that of `from`. */
  readonly trainer: Trainer;
  readonly samples: Samples;
  readonly recipe: LoopRecipe;
  readonly augmentation?: Augmentation;
  readonly from?: Checkpoint;
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** After every epoch; the loop waits for it. */
  readonly onEpoch?: (checkpoint: Checkpoint) => Promise<void>;
  /** After every `checkpointSteps` steps and after the last one; the loop waits for it. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
}

/** A loss is no longer a number: the learning rate is too high, or the data are broken. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  constructor(
    readonly step: number,
    readonly loss: string,
  ) {
    super(`training diverged: after step ${step} the loss "${loss}" is not a finite number`);
  }
}

/**
 * Trains to the end and returns the last checkpoint.
 * @throws RangeError where the samples do not fill a batch or it has no equal parts; DivergedError; the signal's reason when it is aborted
 */
export async function train(options: TrainOptions): Promise<Checkpoint> {
  const { trainer, samples, recipe, from, signal } = options;
  const { augmentation = DEFAULT_AUGMENTATION } = options;
  const batches = new Batches(samples, { ...recipe, augmentation });
  const totalSteps = batches.perEpoch * recipe.epochs;
  const schedule = { ...recipe, totalSteps };
  const prepare = (step: number): Promise<TrainingBatch> => {
    const batch = batches.get(step, signal);
    // Should the step before it fail, nobody waits for this one any more.
    batch.catch(() => undefined);
    return batch;
  };

  if (from !== undefined) await trainer.load(from.state);
  const first = from?.step ?? 0;
  let upcoming = first < totalSteps ? prepare(first) : undefined;
  for (let step = first; upcoming !== undefined; step++) {
    signal?.throwIfAborted();
    const batch = await upcoming;
    upcoming = step + 1 < totalSteps ? prepare(step + 1) : undefined;
    const learningRate = learningRateAt(step, schedule);
    const { losses } = await trainer.step(batch, { learningRate, step, ...(signal && { signal }) });

    const done = step + 1;
    const wrong = Object.keys(losses).find((name) => !Number.isFinite(losses[name]));
    if (wrong !== undefined) throw new DivergedError(done, wrong);
    const epoch = batches.epochOf(done);
    options.onStep?.({ step: done, totalSteps, epoch, learningRate, losses });
    const checkpoint = async (): Promise<Checkpoint> => ({ step: done, epoch, state: await trainer.state() });
    if (done % batches.perEpoch === 0) await options.onEpoch?.(await checkpoint());
    if (done % recipe.checkpointSteps === 0 || done === totalSteps)
      await options.onCheckpoint?.(await checkpoint());
  }
  return { step: totalSteps, epoch: recipe.epochs, state: await trainer.state() };
}

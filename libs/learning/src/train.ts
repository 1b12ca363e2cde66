/**
 * The training loop. Its state is a checkpoint: the trainer's state, the number of the next step, the priors that attacks
 * use, the best epoch so far and how it went. Everything else follows from the recipe, so a training that continues
 * gives the bits of one that was never interrupted.
 */
import type { EpochRecord, TrainingRecipe } from '@facet/contracts';
import { CONSISTENCY, epsilonAt, inPlace, planAttack, wantsPriors, withTwins } from './adversarial.js';
import { type Augmentation, DEFAULT_AUGMENTATION } from './augment.js';
import { Batches, type LabelledBatch } from './batches.js';
import { addStep, bestEpoch, type EpochSums, meansOf, NO_SUMS } from './history.js';
import type { InnerMaximisation, Priors } from './inner.js';
import { publishedState, type Updating } from './optimiser/index.js';
import { priorRows } from './prior-rows.js';
import type { Samples } from './samples.js';
import { learningRateAt } from './schedule.js';
import type { Named, Trainer, TrainerState, TrainingBatch } from './trainer.js';
import type { Validate } from './validation.js';

/** The part of a recipe that the loop reads. */
export type LoopRecipe = Updating &
  Pick<
    TrainingRecipe,
    | 'seed'
    | 'epochs'
    | 'batch'
    | 'parts'
    | 'learningRate'
    | 'warmupSteps'
    | 'schedule'
    | 'checkpointSteps'
    | 'adversarial'
    | 'validation'
  >;

/** Where a training stands. */
export interface Checkpoint {
  /** Steps and epochs that are done. */
  readonly step: number;
  readonly epoch: number;
  readonly state: TrainerState;
  /** Of the epochs that ended, and of the one under way. */
  readonly epochs: readonly EpochRecord[];
  readonly sums: EpochSums;
  /** What the best epoch would have published; undefined before the first that was validated. */
  readonly best: TrainerState | undefined;
  /** Fitted last; empty where no attack uses any. */
  readonly priors: Priors;
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
  /** For recipes with adversarial training; sees the trainer's weights. */
  readonly inner?: InnerMaximisation;
  /** Facets that attacks may take turns on. */
  readonly facets?: readonly string[];
  /** For recipes with validation. */
  readonly validate?: Validate;
  readonly augmentation?: Augmentation;
  readonly from?: Checkpoint;
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** After every epoch; the loop waits for it. */
  readonly onEpoch?: (checkpoint: Checkpoint) => Promise<void>;
  /** After every `checkpointSteps` steps, after the last one, and when the signal ends it; the loop waits for it. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
}

/** A loss or a weight is no longer a number: the learning rate is too high, or the data are broken. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  constructor(
    readonly step: number,
    readonly what: string,
  ) {
    super(
      `training diverged: after step ${step} the ${what} is not a finite number; take a lower learning rate, a longer ` +
        'warm-up, or clipNorm. The last checkpoint before it stands',
    );
  }
}

/** Weights are looked at before they are kept: a loss only shows the step after that they are spoilt. */
function checkFinite(state: TrainerState, step: number): void {
  for (const [name, { data }] of state)
    if (data instanceof Float32Array && !data.every(Number.isFinite))
      throw new DivergedError(step, `weight "${name}"`);
}

/**
 * Trains to the end and returns the last checkpoint.
 * @throws RangeError where the samples do not fill a batch or it has no equal parts; DivergedError; the signal's reason when it is aborted
 */
export async function train(options: TrainOptions): Promise<Checkpoint> {
  const training = new Training(options);
  await training.begin();
  try {
    while (!training.ended) await training.step();
  } catch (error) {
    await training.leave();
    throw error;
  }
  return training.checkpoint();
}

class Training {
  readonly #batches: Batches;
  readonly #totalSteps: number;
  #step: number;
  #saved: number;
  #sums: EpochSums;
  #epochs: readonly EpochRecord[];
  #best: TrainerState | undefined;
  #priors: Priors;
  #stopped = false;
  #upcoming: Promise<LabelledBatch> | undefined;

  constructor(private readonly options: TrainOptions) {
    const { samples, recipe, augmentation = DEFAULT_AUGMENTATION, from } = options;
    this.#batches = new Batches(samples, { ...recipe, augmentation });
    this.#totalSteps = this.#batches.perEpoch * recipe.epochs;
    this.#step = from?.step ?? 0;
    this.#saved = this.#step;
    this.#sums = from?.sums ?? NO_SUMS;
    this.#epochs = from?.epochs ?? [];
    this.#best = from?.best;
    this.#priors = from?.priors ?? new Map();
    if (from !== undefined) this.#stopped = this.#isOver();
  }

  get ended(): boolean {
    return this.#stopped || this.#step >= this.#totalSteps;
  }

  async begin(): Promise<void> {
    const { trainer, from, inner } = this.options;
    if (from !== undefined) await trainer.load(from.state);
    if (this.#priors.size > 0) inner?.usePriors(this.#priors);
    this.#upcoming = this.ended ? undefined : this.#prepare(this.#step);
  }

  async step(): Promise<void> {
    const { trainer, recipe, signal, onStep } = this.options;
    signal?.throwIfAborted();
    const step = this.#step;
    const labelled = await this.#upcoming!;
    this.#upcoming = step + 1 < this.#totalSteps ? this.#prepare(step + 1) : undefined;
    const batch = await this.#attacked(labelled, step);
    const learningRate = learningRateAt(step, { ...recipe, totalSteps: this.#totalSteps });
    const { losses } = await trainer.step(batch, { learningRate, step, ...(signal && { signal }) });

    this.#step = step + 1;
    const wrong = Object.keys(losses).find((name) => !Number.isFinite(losses[name]));
    if (wrong !== undefined) throw new DivergedError(this.#step, `loss "${wrong}"`);
    this.#sums = addStep(this.#sums, losses);
    const epoch = this.#batches.epochOf(this.#step);
    onStep?.({ step: this.#step, totalSteps: this.#totalSteps, epoch, learningRate, losses });
    if (this.#step % this.#batches.perEpoch === 0) await this.#endEpoch(learningRate);
    if (this.#step % recipe.checkpointSteps === 0 || this.ended) await this.#save();
  }

  /** Keeps what was done since the last checkpoint where somebody ended it; not where it failed. */
  async leave(): Promise<void> {
    if (this.options.signal?.aborted && this.#step > this.#saved) await this.#save();
  }

  async checkpoint(): Promise<Checkpoint> {
    const state = await this.options.trainer.state();
    checkFinite(state, this.#step);
    return {
      step: this.#step,
      epoch: this.#batches.epochOf(this.#step),
      state,
      epochs: this.#epochs,
      sums: this.#sums,
      best: this.#best,
      priors: this.#priors,
    };
  }

  #prepare(step: number): Promise<LabelledBatch> {
    const batch = this.#batches.get(step, this.options.signal);
    // Should the step before it fail, nobody waits for this one any more.
    batch.catch(() => undefined);
    return batch;
  }

  async #attacked(batch: LabelledBatch, step: number): Promise<TrainingBatch> {
    const { recipe, inner, facets = [], signal } = this.options;
    const { adversarial } = recipe;
    if (adversarial === undefined) return batch;
    if (inner === undefined) throw new RangeError('adversarial training needs an inner maximisation');
    if (wantsPriors(adversarial) && (this.#priors.size === 0 || step % adversarial.priors.everySteps === 0))
      await this.#fitPriors(inner, adversarial.priors.samples);
    const attack = planAttack(adversarial, { ...recipe, step, facets });
    const pixels = await inner.attack(batch, attack, signal);
    return adversarial.search.name === 'trades' ? withTwins(batch, pixels, attack) : inPlace(batch, pixels);
  }

  async #fitPriors(inner: InnerMaximisation, count: number): Promise<void> {
    const { samples, recipe, signal } = this.options;
    const drawn = await samples.get(priorRows(samples.n, count, recipe.seed, this.#step), signal);
    this.#priors = await inner.fitPriors(drawn, signal);
  }

  async #endEpoch(learningRate: number): Promise<void> {
    const { recipe, validate, signal, onEpoch } = this.options;
    const { adversarial, validation } = recipe;
    const epoch = this.#batches.epochOf(this.#step);
    const epsilon = adversarial === undefined ? null : epsilonAt(this.#step - 1, adversarial);
    const state = await this.options.trainer.state();
    checkFinite(state, this.#step);
    const seen = validation && validate ? await validate(epoch, signal) : null;
    const record: EpochRecord = {
      epoch,
      step: this.#step,
      learningRate,
      epsilon,
      losses: meansOf(this.#sums),
      validation: seen,
    };
    this.#epochs = [...this.#epochs, record];
    this.#sums = NO_SUMS;
    if (seen !== null && bestEpoch(this.#epochs) === epoch) this.#best = publishedState(state, recipe);
    this.#stopped = this.#isOver();
    await onEpoch?.(await this.checkpoint());
  }

  /** Whether no epoch was better for as long as the recipe waits. */
  #isOver(): boolean {
    const { validation } = this.options.recipe;
    const last = this.#epochs.at(-1);
    return (
      validation !== undefined &&
      last !== undefined &&
      last.epoch - bestEpoch(this.#epochs) >= validation.patience
    );
  }

  async #save(): Promise<void> {
    await this.options.onCheckpoint?.(await this.checkpoint());
    this.#saved = this.#step;
  }
}

/** What is published of where a training ended: its best epoch, or the last step where none was validated. */
export const resultOf = ({ best, state }: Checkpoint, updating: Updating): TrainerState =>
  best ?? publishedState(state, updating);

/** Losses that a recipe adds to those of the network's heads. */
export const addedLosses = ({ adversarial }: Pick<TrainingRecipe, 'adversarial'>): readonly string[] =>
  adversarial?.search.name === 'trades' ? [CONSISTENCY] : [];

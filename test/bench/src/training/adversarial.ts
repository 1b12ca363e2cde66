/** Adversarial training as anybody runs it beside clean training: half of every batch is attacked, then trained on. */
import {
  AdversarialTraining,
  AUXILIARY_FACETS,
  DECISION_FACET,
  type SMALL_BACKBONES,
} from '@facet/contracts';
import { Engine, OnnxTrainer } from '@facet/engine';
import { inPlace, type LabelledBatch, planAttack } from '@facet/learning';
import { buildMultitask } from '@facet/networks';
import { Random } from '@facet/random';
import { type Sample, timed } from '../frame/interleave.js';
import { BATCH, batchOf, LEARNING_RATE, SEED, SIZE, trainingTask, UPDATING } from './task.js';

type SmallBackbone = (typeof SMALL_BACKBONES)[number];

const THREAT = { norm: 'linf', epsilon: 2 / 255 };
/** Of noise, for priors: what they are fitted to changes nothing of what an attack costs. */
const PRIOR_SAMPLES = 200;

/** Recipes by name. */
const RECIPES = {
  fast: { threat: THREAT },
  'pgd-5': { threat: THREAT, search: { name: 'pgd', steps: 5 } },
  'fast, SFA': { threat: THREAT, mix: [{ objective: 'sfa' }] },
} as const;
export type InnerRecipe = keyof typeof RECIPES;

/** Trainers of one network, one for each recipe, in the same worker threads. */
export class Adversarial {
  readonly #engine: Engine;
  readonly #parts: number;
  readonly #batch: LabelledBatch;
  readonly #trainers: ReadonlyMap<InnerRecipe, { trainer: OnnxTrainer; adversarial: AdversarialTraining }>;
  #steps = 0;

  private constructor(name: SmallBackbone, cores: number) {
    this.#engine = new Engine({ threads: cores });
    this.#parts = cores;
    const task = trainingTask(name);
    const batch = batchOf(task, 0, cores);
    const live = batch.targets[DECISION_FACET];
    this.#batch = { ...batch, labels: Uint8Array.from(live, Number) };
    const { input, output, facets, texture } = buildMultitask({
      backbone: name,
      size: SIZE,
      channels: 3,
      facets: AUXILIARY_FACETS,
      seed: SEED,
    });
    const attacked = {
      input,
      output,
      texture: { tensor: texture },
      facets: AUXILIARY_FACETS.map((facet) => ({ facet, ...facets[facet], source: 'head' as const })),
    };
    this.#trainers = new Map(
      (Object.keys(RECIPES) as InnerRecipe[]).map((recipe) => {
        const adversarial = AdversarialTraining.parse(RECIPES[recipe]);
        const { search, threat } = adversarial;
        const network = { attacked, search, norm: threat.norm };
        const options = { ...task, updating: UPDATING, parts: cores, network };
        return [recipe, { trainer: new OnnxTrainer(this.#engine, options), adversarial }];
      }),
    );
  }

  static async open(name: SmallBackbone, cores: number): Promise<Adversarial> {
    const opened = new Adversarial(name, cores);
    const random = new Random(SEED, 'prior');
    const pixels = Float32Array.from({ length: PRIOR_SAMPLES * 3 * SIZE * SIZE }, () => random.uniform());
    const labels = Uint8Array.from({ length: PRIOR_SAMPLES }, (_, i) => i % 2);
    for (const { trainer } of opened.#trainers.values())
      await trainer.fitPriors({ pixels, labels, targets: {}, masks: {} });
    return opened;
  }

  /** Times one step on clean images. */
  clean(): Promise<Sample> {
    const { trainer } = this.#trainers.get('fast')!;
    return timed(() => trainer.step(this.#batch, this.#next()));
  }

  /** Times one step with the attack before it. */
  attacked(recipe: InnerRecipe): Promise<Sample> {
    const { trainer, adversarial } = this.#trainers.get(recipe)!;
    const options = this.#next();
    const about = {
      seed: SEED,
      step: options.step,
      batch: BATCH,
      parts: this.#parts,
      facets: AUXILIARY_FACETS,
    };
    return timed(async () => {
      const pixels = await trainer.attack(this.#batch, planAttack(adversarial, about));
      await trainer.step(inPlace(this.#batch, pixels), options);
    });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #next(): { learningRate: number; step: number } {
    return { learningRate: LEARNING_RATE, step: this.#steps++ };
  }
}

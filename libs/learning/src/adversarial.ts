/**
 * Which samples of a step are attacked, through what, and how strongly: everything follows from the recipe's seed and
 * the step's number. In TRADES attacked samples stand beside their clean twins instead of in their place.
 */
import { type AdversarialTraining, concernsFacet, needsPrior } from '@facet/contracts';
import { Random } from '@facet/random';
import type { LabelledBatch } from './batches.js';
import type { AttackedRows, BatchAttack } from './inner.js';
import type { Named, TrainingBatch } from './trainer.js';

/** Loss that holds a sample under attack to its clean twin. */
export const CONSISTENCY = 'consistency';

/** Linear rise over the warm-up, in the unit of epsilon. */
export const epsilonAt = (step: number, { threat, warmupSteps }: AdversarialTraining): number =>
  threat.epsilon * Math.min(1, (step + 1) / Math.max(1, warmupSteps));

/** Whether a recipe's attacks need priors. */
export const wantsPriors = ({ mix }: AdversarialTraining): boolean =>
  mix.some(({ objective }) => needsPrior(objective));

export interface AttackedStep {
  readonly seed: number;
  readonly step: number;
  readonly batch: number;
  readonly parts: number;
  /** Facets that take turns where the recipe names none. */
  readonly facets: readonly string[];
}

/** Samples of every part that are attacked, or left clean by the mix. */
export const attackedPerPart = ({ share }: AdversarialTraining, batch: number, parts: number): number =>
  Math.max(1, Math.round((share * batch) / parts));

/** Errors: RangeError where a part of the mix speaks of facets and there is none. */
export function planAttack(config: AdversarialTraining, about: AttackedStep): BatchAttack {
  const { seed, step, batch, parts, facets } = about;
  const total = config.mix.reduce((sum, { weight }) => sum + weight, 0);
  const chosen = (draw: number): number => {
    let left = draw * total;
    const found = config.mix.findIndex(({ weight }) => (left -= weight) < 0);
    return found < 0 ? config.mix.length - 1 : found;
  };
  const ofPart = (part: number): AttackedRows[] => {
    const random = new Random(seed, 'attacked', step, part);
    const rows = random.permutation(batch / parts).slice(0, attackedPerPart(config, batch, parts));
    const drawn = Array.from(rows.sort(), (row) => ({ row, entry: chosen(random.uniform()) }));
    return config.mix.flatMap(({ objective, facets: named = facets }, entry) => {
      const own = drawn.filter((one) => one.entry === entry).map(({ row }) => row);
      if (objective === 'clean' || own.length === 0) return [];
      if (!concernsFacet(objective)) return [{ objective, rows: own }];
      if (named.length === 0) throw new RangeError(`${objective} needs a facet, and the network has none`);
      return [{ objective, facet: named[step % named.length], rows: own }];
    });
  };
  return {
    epsilon: epsilonAt(step, config),
    seed: new Random(seed, 'starts', step).integer(2 ** 32),
    parts: Array.from({ length: parts }, (_, part) => ofPart(part)),
  };
}

/** The batch with attacked pixels in place of the clean ones; their labels hold all the same. */
export const inPlace = (batch: LabelledBatch, pixels: Float32Array): TrainingBatch => ({ ...batch, pixels });

/**
 * The batch with each attacked sample behind the clean ones of its part, which only the consistency loss reads. All parts
 * have as many attacked samples.
 */
export function withTwins(
  batch: LabelledBatch,
  pixels: Float32Array,
  { parts: attacked }: BatchAttack,
): TrainingBatch {
  const { size, parts } = batch;
  const within = size / parts;
  const rows = attacked.map((groups) => groups.flatMap((group) => group.rows));
  const twins = rows[0].length;
  if (rows.some((own) => own.length !== twins))
    throw new RangeError('parts have different numbers of attacked samples');
  const extended = <T extends Float32Array | BigInt64Array>(
    clean: T,
    twin: (row: number, place: number) => T,
  ): T => {
    const width = clean.length / size;
    const length = (size + parts * twins) * width;
    const out = (clean instanceof BigInt64Array ? new BigInt64Array(length) : new Float32Array(length)) as T;
    for (let part = 0; part < parts; part++) {
      const at = part * (within + twins) * width;
      out.set(clean.subarray(part * within * width, (part + 1) * within * width) as never, at);
      rows[part].forEach((row, i) =>
        out.set(twin(part * within + row, row) as never, at + (within + i) * width),
      );
    }
    return out;
  };
  const rowOf =
    <T extends Float32Array | BigInt64Array>(data: T) =>
    (row: number): T =>
      data.subarray((row * data.length) / size, ((row + 1) * data.length) / size) as T;
  const map = <A, B>(all: Named<A>, to: (value: A) => B): Record<string, B> =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, to(value)]));
  return {
    size: size + parts * twins,
    parts,
    pixels: extended(batch.pixels, rowOf(pixels)),
    targets: {
      ...map(batch.targets, (target) => extended(target, rowOf(target))),
      [CONSISTENCY]: extended(new BigInt64Array(size), (_, place) => BigInt64Array.of(BigInt(place))),
    },
    masks: {
      ...map(batch.masks, (mask) => extended(mask, () => Float32Array.of(0))),
      [CONSISTENCY]: extended(new Float32Array(size), () => Float32Array.of(1)),
    },
  };
}

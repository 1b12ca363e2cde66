/**
 * A whole synthetic dataset as a list of jobs, each plain data: share them out over threads, or take them one
 * by one. Subjects never stand in two splits; held-out species stand in the test split alone.
 */
import { SPLITS, type Split } from '@facet/contracts';
import { encodePng } from '../png.js';
import type { StoredSample } from '../shards/sample.js';
import type { Variant } from './background.js';
import { makeFace, speciesOf, type FaceOptions, type SyntheticSample } from './face.js';
import { SYNTHETIC_SPECIES, type SyntheticSpecies } from './media.js';

export interface SyntheticSpec {
  readonly seed: number;
  /** Side of the square pictures in pixels. */
  readonly size: number;
  /** Samples per split, half of them live. */
  readonly splits: Readonly<Record<Split, number>>;
  readonly variant?: Variant;
  /** Species that occur in the test split only. */
  readonly heldOut?: readonly SyntheticSpecies[];
}

export interface SyntheticJob {
  readonly split: Split;
  /** Unique in the dataset. */
  readonly key: string;
  readonly face: FaceOptions;
}

/** The jobs in the order train, dev, test. @throws RangeError where every species is held out. */
export function* syntheticJobs(spec: SyntheticSpec): Generator<SyntheticJob> {
  const { seed, size, splits, variant = 'standard', heldOut = [] } = spec;
  const seen = SYNTHETIC_SPECIES.filter((species) => !heldOut.includes(species));
  if (seen.length === 0) throw new RangeError('every species is held out: there is none left to train on');
  let index = 0;
  for (const split of SPLITS) {
    const known = split === 'test' ? SYNTHETIC_SPECIES : seen;
    const end = index + splits[split];
    for (; index < end; index++) {
      const face = { seed, index, size, variant, species: speciesOf(index, known) };
      yield { split, key: `face-${String(index).padStart(6, '0')}`, face };
    }
    // An odd count leaves its last subject to itself.
    index += index % 2;
  }
}

/** Renders the jobs one after the other, in this thread. */
export async function* syntheticDataset(
  spec: SyntheticSpec,
): AsyncGenerator<SyntheticJob & { readonly sample: SyntheticSample }> {
  for (const job of syntheticJobs(spec)) yield { ...job, sample: makeFace(job.face) };
}

/** A rendered sample as a shard holds it, maps included. */
export async function storeFace(key: string, sample: SyntheticSample, size: number): Promise<StoredSample> {
  const side = { width: size, height: size };
  const [png, depth, reflection] = await Promise.all([
    encodePng({ ...side, data: sample.pixels }),
    encodePng({ ...side, data: sample.depth }, 1),
    encodePng({ ...side, data: sample.reflection }, 1),
  ]);
  return { key, png, labels: sample.labels, depth, reflection };
}

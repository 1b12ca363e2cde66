/**
 * What stays the same for all cells that attack the same clean images: the cropped images, the decision's scores, every
 * facet's prediction in one forward pass, and what the facets' losses compare with. A worker keeps the last ones, up to so
 * many bytes.
 */
import { createHash } from 'node:crypto';
import type { AttackedFacet, Donors, Target } from '@facet/adversary';
import { type AttackSource, identityOf } from '../model-source.js';
import type { FacetTruth, Photos } from '../tasks.js';
import { batchesOf, type Cut } from './batches.js';
import { type Images, imagesOf } from './images.js';
import { decide } from './models.js';
import { predict, type Prediction, targetOf } from './targets.js';

/** 8-bit images that a worker keeps: a thousand of 128x128. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Donors of each side; the nearest of them is taken. */
const DONORS = 16;

type Truths = readonly (FacetTruth | undefined)[];

export interface CleanShard {
  readonly images: Images;
  /** Decision scores [n]. */
  readonly scores: Float64Array;
  /** What a facet's loss compares a batch with; `truth` of each of its images, where it is known. */
  readonly target: (facet: AttackedFacet, cut: Cut, truth: Truths) => Promise<Target>;
}

const kept = new Map<string, Promise<CleanShard>>();
const sizes = new Map<string, number>();

function digestOf(source: AttackSource, { photos, prepared }: Photos, batch: number): string {
  const hash = createHash('sha256').update(
    JSON.stringify([identityOf(source, source.fit), prepared, batch, photos.map(({ box }) => box)]),
  );
  for (const { png } of photos) hash.update(png);
  return hash.digest('hex');
}

function digestOfTruths(truths: Truths): string {
  const hash = createHash('sha256');
  for (const truth of truths) hash.update(truth?.kind === 'map' ? truth.png : JSON.stringify(truth ?? null));
  return hash.digest('hex');
}

async function open(source: AttackSource, photos: Photos, batch: number): Promise<CleanShard> {
  const images = await imagesOf(photos, source.manifest);
  const scores = new Float64Array(images.n);
  for (const cut of batchesOf(images, batch)) scores.set(await decide(source, cut.pixels, cut.n), cut.from);
  const predictions = new Map<number, Promise<ReadonlyMap<string, Prediction>>>();
  const targets = new Map<string, Promise<Target>>();
  const prediction = async ({ facet }: AttackedFacet, cut: Cut): Promise<Prediction> => {
    const known = predictions.get(cut.from) ?? predict(source, cut);
    predictions.set(cut.from, known);
    return (await known).get(facet)!;
  };
  return {
    images,
    scores,
    target(facet, cut, truth) {
      const key = `${facet.facet} ${cut.from} ${digestOfTruths(truth)}`;
      const known =
        targets.get(key) ?? prediction(facet, cut).then((predicted) => targetOf(facet, predicted, truth));
      targets.set(key, known);
      return known;
    },
  };
}

function trim(): void {
  let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  for (const key of kept.keys()) {
    if (bytes <= KEPT_BYTES || kept.size <= 1) return;
    bytes -= sizes.get(key) ?? 0;
    kept.delete(key);
    sizes.delete(key);
  }
}

/** Errors: DatasetError for an image that cannot be decoded; ModelError where the model cannot be run. */
export async function cleanShard(source: AttackSource, photos: Photos, batch: number): Promise<CleanShard> {
  const key = digestOf(source, photos, batch);
  const shard = kept.get(key) ?? open(source, photos, batch);
  kept.delete(key);
  kept.set(key, shard);
  try {
    sizes.set(key, (await shard).images.bytes.length);
  } catch (error) {
    kept.delete(key);
    throw error;
  }
  trim();
  return shard;
}

/** The first images of a shard that the model decides as live, and as spoof. */
export function donorsOf({ images: { n, bytes }, scores }: CleanShard, threshold: number): Donors {
  const size = bytes.length / n;
  const decided = (live: boolean): Uint8Array[] =>
    Array.from({ length: n }, (_, i) => i)
      .filter((i) => scores[i] >= threshold === live)
      .slice(0, DONORS)
      .map((i) => bytes.subarray(i * size, (i + 1) * size));
  return { live: decided(true), spoof: decided(false) };
}

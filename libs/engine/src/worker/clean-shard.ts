/**
 * What a model says of clean images, computed once for all cells that attack them: the cropped images, the decision's
 * scores, and every facet's prediction in one forward pass. A worker keeps the last ones, up to so many bytes.
 */
import { createHash } from 'node:crypto';
import type { AttackedFacet, Donors } from '@facet/adversary';
import { type AttackSource, identityOf } from '../model-source.js';
import type { Photos } from '../tasks.js';
import { batchesOf, type Cut } from './batches.js';
import { type Images, imagesOf } from './images.js';
import { decide } from './models.js';
import { predict, type Prediction } from './targets.js';

/** 8-bit images that a worker keeps: a thousand of 128x128. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Donors of each side; the nearest of them is taken. */
const DONORS = 16;

export interface CleanShard {
  readonly images: Images;
  /** Decision scores [n]. */
  readonly scores: Float64Array;
  /** What a facet's head says of the images of a batch, or its pooled feature where it has none. */
  readonly prediction: (facet: AttackedFacet, cut: Cut) => Promise<Prediction>;
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

async function open(source: AttackSource, photos: Photos, batch: number): Promise<CleanShard> {
  const images = await imagesOf(photos, source.manifest);
  const scores = new Float64Array(images.n);
  for (const cut of batchesOf(images, batch)) scores.set(await decide(source, cut.pixels, cut.n), cut.from);
  const predictions = new Map<number, Promise<ReadonlyMap<string, Prediction>>>();
  return {
    images,
    scores,
    prediction: async (facet, cut) => {
      const known = predictions.get(cut.from) ?? predict(source, cut);
      predictions.set(cut.from, known);
      return (await known).get(facet.facet)!;
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

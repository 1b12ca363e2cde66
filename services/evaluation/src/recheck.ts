/**
 * An independent second look: stored adversarial images are read back and decided again, and must be decided as the
 * attack workers said. Whole shards are taken, in the batches of the plan.
 */
import { loadModel, type PlannedEvaluation, readOutcomes, spread } from '@facet/catalog';
import { keys } from '@facet/contracts';
import { readShard } from '@facet/datasets';
import { type Engine, share } from '@facet/engine';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

/** Shards that are looked at again, spread evenly over cells. */
const RECHECKED_SHARDS = 16;

async function bytesOf(store: ObjectStore, key: string): Promise<Uint8Array> {
  const object = await store.get(key);
  if (object === undefined) throw new InputError('is missing from the store', { file: key });
  return object.bytes();
}

export interface Recheck {
  readonly images: number;
  readonly agreed: number;
}

export async function recheck(
  { store, engine }: { readonly store: ObjectStore; readonly engine: Engine },
  planned: PlannedEvaluation,
  threshold: number,
  signal: AbortSignal,
): Promise<Recheck> {
  const model = await loadModel(store, planned.model);
  const source = { digest: model.digest, bytes: share(model.bytes), manifest: model.manifest };
  const total = planned.cells.length * planned.shards;
  const looks = spread(total, RECHECKED_SHARDS).map(async (index): Promise<Recheck> => {
    const cell = planned.cells[Math.floor(index / planned.shards)];
    const shard = index % planned.shards;
    const imagesKey = keys.evaluation.images(planned.evaluation, cell.id, shard);
    const outcomesKey = keys.evaluation.outcomes(planned.evaluation, cell.id, shard);
    const stored = new Map<string, Uint8Array>();
    for await (const { key, png } of readShard(await bytesOf(store, imagesKey), { name: imagesKey }))
      stored.set(key, png);
    const outcomes = await readOutcomes(await bytesOf(store, outcomesKey), outcomesKey);
    const photos = outcomes.map(({ key }) => {
      const png = stored.get(key);
      if (png === undefined) throw new InputError(`has no image ${key}`, { file: imagesKey });
      return { png };
    });
    const images = { photos, prepared: true };
    const { scores } = await engine.describe(
      { source, images, batch: planned.plan.batch, features: [] },
      signal,
    );
    const agreed = outcomes.filter(
      ({ adversarialScore }, i) => adversarialScore >= threshold === scores[i] >= threshold,
    );
    return { images: outcomes.length, agreed: agreed.length };
  });
  const results = await Promise.all(looks);
  return {
    images: results.reduce((sum, { images }) => sum + images, 0),
    agreed: results.reduce((sum, { agreed }) => sum + agreed, 0),
  };
}

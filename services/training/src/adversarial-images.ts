/**
 * The images by which an evaluation broke its model, as train samples. They come from that evaluation's test split, so it
 * must not be the one by which the result is judged.
 */
import { type Dataset, findDataset, loadPlan, loadRequest, readOutcomes } from '@facet/catalog';
import { formatRef, keys } from '@facet/contracts';
import { decodePng, readShard, toPlanes } from '@facet/datasets';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import type { Row, View } from './samples.js';

const refuse = (problem: string): InputError => new InputError(problem, { field: 'evaluation' });

/**
 * Every stored image that turned a right decision, in the order of cells, shards and samples.
 * Errors: InputError where the evaluation's images are of another size or of the dataset that is trained on, or there
 * are none.
 */
export async function adversarialRows(
  store: ObjectStore,
  evaluation: string,
  dataset: Dataset,
  { input }: View,
): Promise<Row[]> {
  const request = await loadRequest(store, evaluation);
  const attacked = await findDataset(store, request.dataset);
  if (attacked?.digest === dataset.manifest.digest)
    throw refuse(
      `${evaluation} attacked the test split of ${formatRef(request.dataset)}, by which what is trained on it is judged; ` +
        'evaluate the model on another dataset, and train on those images',
    );
  const { cells, shards } = await loadPlan(store, evaluation);
  const rows: Row[] = [];
  for (const { id } of cells)
    for (let shard = 0; shard < shards; shard++)
      rows.push(...(await shardRows(store, evaluation, id, shard, input)));
  if (rows.length === 0) throw refuse(`${evaluation} has no image that turned a decision`);
  return rows;
}

async function shardRows(
  store: ObjectStore,
  evaluation: string,
  cell: string,
  shard: number,
  { height, width }: View['input'],
): Promise<Row[]> {
  const outcomesKey = keys.evaluation.outcomes(evaluation, cell, shard);
  const imagesKey = keys.evaluation.images(evaluation, cell, shard);
  const [outcomes, images] = await Promise.all([store.get(outcomesKey), store.get(imagesKey)]);
  // A shard that failed, or of an evaluation that has not ended.
  if (outcomes === undefined || images === undefined) return [];
  const judged = await readOutcomes(await outcomes.bytes(), outcomesKey);
  const fooled = new Set(judged.filter((one) => one.fooled).map(({ key }) => key));
  const rows: Row[] = [];
  for await (const { key, labels, png } of readShard(await images.bytes(), { name: imagesKey })) {
    if (!fooled.has(key)) continue;
    const image = await decodePng(png, 3, key);
    if (image.height !== height || image.width !== width)
      throw refuse(`has images of ${image.width}x${image.height}, and the network takes ${width}x${height}`);
    rows.push({ labels, pixels: toPlanes(image.data), maps: {} });
  }
  return rows;
}

/** The worst cases, with their pictures: for each facet the sample that fell at the smallest epsilon, most clearly. */
import { Dataset, loadModel, type PlannedEvaluation, shardIndices } from '@facet/catalog';
import { type Cell, keys, type Outcome, type WorstCase } from '@facet/contracts';
import { readShard } from '@facet/datasets';
import type { Engine } from '@facet/engine';
import type { Picture } from '@facet/report';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

/** Pictures in a report; enough for every facet, few enough for one page. */
const MAX_CASES = 12;

/** By how much the adversarial score is past the threshold, on the wrong side. */
const overshoot = ({ label, adversarialScore }: Outcome, threshold: number): number =>
  label === 'spoof' ? adversarialScore - threshold : threshold - adversarialScore;

export interface WorstSample extends Pick<
  Outcome,
  'key' | 'label' | 'species' | 'cleanScore' | 'adversarialScore'
> {
  /** Its place among the cell's samples. */
  readonly index: number;
}

/** The sample that an attack turned most clearly. Spoofs that pass for live come first: they are what an attacker wants. */
export function worstSample(outcomes: readonly Outcome[], threshold: number): WorstSample | undefined {
  const fooled = outcomes.map((outcome, i) => ({ outcome, i })).filter(({ outcome }) => outcome.fooled);
  fooled.sort(
    (a, b) =>
      Number(b.outcome.label === 'spoof') - Number(a.outcome.label === 'spoof') ||
      overshoot(b.outcome, threshold) - overshoot(a.outcome, threshold) ||
      a.i - b.i,
  );
  if (fooled.length === 0) return undefined;
  const [{ outcome, i: index }] = fooled;
  const { key, label, species, cleanScore, adversarialScore } = outcome;
  return { index, key, label, species, cleanScore, adversarialScore };
}

/** One case per (facet, objective), at the smallest epsilon at which any sample fell. Controls are left out. */
export function worstCases(planned: PlannedEvaluation, worst: ReadonlyMap<string, WorstSample>): WorstCase[] {
  const found = new Map<string, WorstCase>();
  const cells = planned.cells.filter(({ objective }) => objective !== 'control');
  const byEpsilon = [...cells].sort((a, b) => a.threat.epsilon - b.threat.epsilon);
  for (const cell of byEpsilon) {
    const group = `${cell.facet}.${cell.objective}`;
    const sample = found.has(group) ? undefined : worst.get(cell.id);
    if (sample === undefined) continue;
    const { index, ...shown } = sample;
    const shard = Math.floor(index / planned.plan.shard);
    found.set(group, { cell: cell.id, shard, epsilon: cell.threat.epsilon, ...shown });
  }
  const order = (cell: Cell): string => `${cell.facet}.${cell.objective}`;
  const inOrder = [...new Set(cells.map(order))].flatMap((group) => found.get(group) ?? []);
  return inOrder.slice(0, MAX_CASES);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Original, adversarial and amplified difference of each case, as the model saw them. */
export async function picturesOf(
  { store, engine }: { readonly store: ObjectStore; readonly engine: Engine },
  planned: PlannedEvaluation,
  cases: readonly WorstCase[],
  signal: AbortSignal,
): Promise<Picture[]> {
  const { manifest } = await loadModel(store, planned.model);
  const dataset = await Dataset.open(store, planned.dataset);
  const total = dataset.count('test');
  const pictures: Picture[] = [];
  for (const one of cases) {
    const key = keys.evaluation.images(planned.evaluation, one.cell, one.shard);
    const object = await store.get(key);
    const images = object === undefined ? [] : await collect(readShard(await object.bytes(), { name: key }));
    const originals = await dataset.at('test', shardIndices(planned.plan, total, one.shard));
    const adversarial = images.find((image) => image.key === one.key);
    const original = originals.find((sample) => sample.key === one.key);
    if (adversarial === undefined || original === undefined)
      throw new InputError(`has no image ${one.key}`, { file: key });
    const photo = { png: original.png, ...(original.box && { box: original.box }) };
    const shown = await engine.compare({ manifest, original: photo, adversarial: adversarial.png }, signal);
    pictures.push({ case: one, adversarial: adversarial.png, ...shown });
  }
  return pictures;
}

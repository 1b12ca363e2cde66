/** Makes of the evaluations of two models the report that stands them side by side. */
import { Dataset, loadPlan, loadScores, records } from '@facet/catalog';
import {
  formatRef,
  type HardeningFigures,
  HardeningReport,
  keys,
  type Ref,
  Report,
  type TrainingHistory,
  type TrainingRequest,
} from '@facet/contracts';
import { apcerBySpecies } from '@facet/metrics';
import { TerminalError } from '@facet/runtime';
import { type ObjectStore, readJson } from '@facet/store';

/** Evaluations of the two models on one dataset. */
export interface EvaluatedSplit {
  readonly name: 'test' | 'shifted';
  readonly dataset: Ref;
  readonly parent: string;
  readonly hardened: string;
}

async function reportOf(store: ObjectStore, evaluation: string): Promise<Report> {
  const key = keys.evaluation.report(evaluation, 'json');
  const report = await readJson(store, key, (value) => Report.parse(value));
  if (report === undefined) throw new TerminalError(`evaluation ${evaluation} has no report`);
  return report;
}

/** Spoof types of a split. */
async function speciesOf(dataset: Dataset, split: 'train' | 'test'): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { labels } of dataset.samples(split))
    if (labels.label === 'spoof' && labels.spoofType !== undefined) found.add(labels.spoofType);
  return found;
}

async function figuresOf(
  store: ObjectStore,
  report: Report,
  unseen: readonly string[],
): Promise<HardeningFigures> {
  const { clean, evaluation } = report;
  const threshold = clean.calibrated?.threshold ?? clean.threshold;
  const scores = await loadScores(store, (await loadPlan(store, evaluation)).features);
  const samples = scores
    .filter(({ split }) => split === 'test')
    .map(({ score, label, species }) => ({ score, live: label === 'live', species }));
  const bySpecies = apcerBySpecies(samples, threshold);
  return {
    auc: clean.auc,
    accuracy: clean.calibrated?.accuracy ?? null,
    apcer: clean.calibrated?.apcer ?? null,
    bpcer: clean.calibrated?.bpcer ?? null,
    unseenApcer: Object.fromEntries(unseen.map((species) => [species, bySpecies[species]?.apcer ?? null])),
  };
}

async function splitOf(
  store: ObjectStore,
  { name, dataset, ...evaluations }: EvaluatedSplit,
  unseen: readonly string[],
): Promise<{ split: HardeningReport['splits'][number]; hardened: Report; parent: Report }> {
  const [parent, hardened] = await Promise.all([
    reportOf(store, evaluations.parent),
    reportOf(store, evaluations.hardened),
  ]);
  if (hardened.baseline === null)
    throw new TerminalError(
      `evaluation ${evaluations.hardened} has no comparison with ${evaluations.parent}`,
    );
  const before = new Map(parent.cells.map((cell) => [cell.id, cell]));
  const attacks = hardened.cells.flatMap((cell) => {
    const earlier = before.get(cell.id);
    if (earlier === undefined) return [];
    const figures = (one: typeof cell) => ({
      success: one.calibrated?.attackSuccessRate ?? null,
      robustAuc: one.robustAuc,
    });
    const { id, facet, objective, search, norm, epsilon } = cell;
    return [
      {
        cell: id,
        facet,
        objective,
        search,
        norm,
        epsilon,
        parent: figures(earlier),
        hardened: figures(cell),
      },
    ];
  });
  const split = {
    name,
    dataset,
    thresholdSplit: hardened.clean.calibrated?.split ?? null,
    clean: {
      parent: await figuresOf(store, parent, unseen),
      hardened: await figuresOf(store, hardened, unseen),
    },
    aucChange: hardened.baseline.clean.auc,
    attacks,
    evaluations,
  };
  return { split, hardened, parent };
}

export async function hardeningReport(
  store: ObjectStore,
  request: TrainingRequest,
  history: TrainingHistory,
  splits: readonly EvaluatedSplit[],
): Promise<HardeningReport> {
  const dataset = await Dataset.open(store, request.dataset);
  const known = await speciesOf(dataset, 'train');
  const unseen = [...(await speciesOf(dataset, 'test'))].filter((species) => !known.has(species)).sort();
  const found = [];
  for (const split of splits) found.push(await splitOf(store, split, unseen));
  const [{ parent, hardened }] = found;
  const { facet, backend, cpu } = hardened.provenance;
  return HardeningReport.parse({
    schema: 'facet.hardening/v1',
    parent: parent.model,
    hardened: hardened.model,
    recipe: request.recipe,
    history,
    splits: found.map(({ split }) => split),
    notes: await notesOf(store, request, unseen, found[0].split.thresholdSplit),
    provenance: { facet, backend, cpu },
  });
}

async function notesOf(
  store: ObjectStore,
  { parent, dataset }: TrainingRequest,
  unseen: readonly string[],
  thresholdSplit: 'dev' | 'test' | null,
): Promise<string[]> {
  const notes = [];
  if (unseen.length === 0)
    notes.push('Every species of the test split is in the train split: nothing is said about unseen ones.');
  const lineage = parent && (await records.lineage.find(store, parent));
  if (
    unseen.length > 0 &&
    !(lineage?.kind === 'training' && formatRef(lineage.dataset) === formatRef(dataset))
  )
    notes.push(
      `Whether ${parent === undefined ? 'the parent' : formatRef(parent)} was trained on the unseen species is not known here.`,
    );
  if (thresholdSplit !== 'dev')
    notes.push(
      'The dataset has no dev split with both classes: thresholds are those of equal error on the test split.',
    );
  return notes;
}

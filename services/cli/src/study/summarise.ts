/** From the reports of a study's networks to its ranking, with what may be chance marked as such. Pure. */
import {
  DECISION_FACET,
  type DefendedFigures,
  type Estimate,
  type Report,
  type Study,
  type StudyEffect,
  type StudyFigures,
  type StudyReport,
} from '@facet/contracts';
import { defencesIn } from './defences.js';
import { estimate, mean } from './estimate.js';
import { NO_FEATURES, type StudyNetwork } from './networks.js';

type Network = StudyReport['networks'][number];
type Key = keyof StudyFigures;

/** What a study reads off one network's report. */
export function figuresOf({ clean, cells, curves, gains }: Report): StudyFigures {
  const direct = curves.find(({ facet, objective }) => facet === DECISION_FACET && objective === 'direct');
  const smallest = cells
    .filter(({ facet, objective }) => facet === DECISION_FACET && objective === 'direct')
    .sort((a, b) => a.epsilon - b.epsilon)
    .at(0);
  const gain = [...gains].sort((a, b) => a.epsilon - b.epsilon).at(-1);
  return {
    accuracy: clean.accuracy,
    auc: clean.auc,
    vulnerability: direct?.areaUnderSuccess ?? null,
    robustAuc: smallest?.robustAuc ?? null,
    facet: gain?.facet ?? null,
    sfa: gain?.sfa ?? null,
    control: gain?.control ?? null,
    gain: gain?.gain ?? null,
  };
}

const over = (networks: readonly Network[], key: Key): Estimate | null =>
  estimate(networks.flatMap(({ figures }) => figures[key] ?? []));

/** Lower first; what has no figure last. */
const byMean =
  <T>(of: (item: T) => number | undefined) =>
  (a: T, b: T): number =>
    (of(a) ?? Infinity) - (of(b) ?? Infinity) || 0;

function effect(name: string, differences: readonly number[]): StudyEffect {
  const difference = estimate(differences);
  const interval = difference?.interval;
  if (!interval) return { name, difference, change: 'unknown' };
  const noise = interval[0] <= 0 && interval[1] >= 0;
  return { name, difference, change: noise ? 'within-noise' : interval[1] < 0 ? 'harder' : 'easier' };
}

const vulnerability = (networks: readonly Network[], wanted: Partial<Network>): number | undefined =>
  networks.find((one) => (Object.keys(wanted) as (keyof Network)[]).every((key) => one[key] === wanted[key]))
    ?.figures.vulnerability ?? undefined;

type Variant = Pick<Network, 'features' | 'defence'>;

/** Sets of features and defences that there are. */
function variantsOf(networks: readonly Network[]): Variant[] {
  const found = new Map(
    networks.map(({ features, defence }) => [`${features} ${defence}`, { features, defence }] as const),
  );
  return [...found.values()];
}

/** Each backbone against the mean of all that have the same features and seed. */
function backboneEffects({ backbones, seeds }: Study, networks: readonly Network[]): StudyEffect[] {
  const variants = variantsOf(networks);
  const effects = backbones.map((backbone) =>
    effect(
      backbone,
      backbones.length < 2
        ? []
        : seeds.flatMap((seed) =>
            variants.flatMap((variant) => {
              const all = backbones.flatMap(
                (other) => vulnerability(networks, { ...variant, backbone: other, seed }) ?? [],
              );
              const own = vulnerability(networks, { ...variant, backbone, seed });
              return own === undefined || all.length < backbones.length ? [] : [own - mean(all)];
            }),
          ),
    ),
  );
  return effects.sort(byMean(({ difference }) => difference?.mean));
}

/** Each set of features against none, on the same backbone with the same seed. */
function featureEffects({ backbones, seeds }: Study, networks: readonly Network[]): StudyEffect[] {
  const variants = variantsOf(networks);
  const effects = [...new Set(variants.map(({ features }) => features))].map((name): StudyEffect => {
    const differences = backbones.flatMap((backbone) =>
      seeds.flatMap((seed) =>
        variants
          .filter(({ features }) => features === name)
          .flatMap(({ defence }) => {
            const own = vulnerability(networks, { backbone, features: name, defence, seed });
            const bare = vulnerability(networks, { backbone, features: NO_FEATURES, defence, seed });
            return own === undefined || bare === undefined ? [] : [own - bare];
          }),
      ),
    );
    return name === NO_FEATURES
      ? { name, difference: estimate(differences), change: 'reference' }
      : effect(name, differences);
  });
  return effects.sort(byMean(({ difference }) => difference?.mean));
}

function notesOf({ seeds }: Study, networks: readonly Network[]): string[] {
  const notes = [];
  if (seeds.length < 3)
    notes.push(
      `With ${seeds.length === 1 ? 'a single seed' : 'two seeds'} hardly any difference can be told from noise; take three or more.`,
    );
  const weak = networks.filter(({ figures }) => figures.accuracy < 0.9).length;
  if (weak > 0)
    notes.push(
      `${weak} of ${networks.length} networks decide less than 90 % of clean images right: how they fall says little about trained detectors.`,
    );
  return notes;
}

export interface Finished {
  readonly network: StudyNetwork;
  readonly report: Report;
  /** In studies that compare defences. */
  readonly defended?: DefendedFigures;
}

export function summarise(study: Study, finished: readonly Finished[]): StudyReport {
  const networks = finished.map(({ network: { recipe: _, ...network }, report, defended }): Network => ({
    ...network,
    evaluation: report.evaluation,
    figures: figuresOf(report),
    ...(defended && { defended }),
  }));
  const groups = new Map<string, Network[]>();
  for (const one of networks) {
    const name = `${one.backbone} ${one.features} ${one.defence}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const combinations = [...groups.values()].map((group) => ({
    backbone: group[0].backbone,
    features: group[0].features,
    ...(group[0].defence !== undefined && { defence: group[0].defence }),
    vulnerability: over(group, 'vulnerability'),
    accuracy: over(group, 'accuracy')!,
    auc: over(group, 'auc'),
    robustAuc: over(group, 'robustAuc'),
    facet: over(group, 'facet'),
    sfa: over(group, 'sfa'),
    control: over(group, 'control'),
    gain: over(group, 'gain'),
  }));
  const [{ report: first }] = finished;
  const direct = first.curves.find(({ facet }) => facet === DECISION_FACET);
  return {
    schema: 'facet.study-report/v1',
    study,
    attack: {
      search: direct?.search ?? '',
      norm: direct?.norm ?? '',
      epsilons: direct?.points.map(({ epsilon }) => epsilon) ?? [],
    },
    networks,
    combinations: combinations.sort(byMean((one) => one.vulnerability?.mean)),
    backbones: backboneEffects(study, networks),
    features: featureEffects(study, networks),
    defences: defencesIn([...groups.values()]),
    notes: notesOf(study, networks),
    provenance: {
      facet: first.provenance.facet,
      backend: first.provenance.backend,
      cpu: first.provenance.cpu,
    },
  };
}

/** Which classes the moments of which tensors are taken over: for priors and for missing heads. */
import type { MomentsData } from '@facet/adversary';
import {
  ATTRIBUTES,
  ILLUMINATIONS,
  LIVE,
  type ModelFacet,
  type SampleLabels,
  SPOOF,
  SPOOF_TYPES,
} from '@facet/contracts';
import { TEXTURE_PRIOR } from '@facet/catalog';
import type { Fit, Grouping } from '@facet/engine';
import type { GatheredMoments } from './gather.js';

/** 0 live, 1 spoof. */
export const classOf = (labels: SampleLabels): number => (labels.label === 'live' ? LIVE : SPOOF);

/** A facet that the dataset labels, so that a probe can stand in for a missing head. */
export interface Labelled {
  readonly kind: 'probe' | 'multi-label';
  readonly groups: number;
  /** The group of a sample, or -1. For multi-label: of bit `bit`. */
  readonly index: (labels: SampleLabels, bit: number) => number;
  readonly bits: number;
}

const oneOf = (names: readonly string[], of: (labels: SampleLabels) => string | undefined): Labelled => ({
  kind: 'probe',
  groups: names.length,
  bits: 1,
  index: (labels) => names.indexOf(of(labels) ?? ''),
});

const LABELLED: Readonly<Record<string, Labelled>> = {
  'spoof-type': oneOf(SPOOF_TYPES, (labels) => labels.spoofType),
  illumination: oneOf(ILLUMINATIONS, (labels) => labels.illumination),
  attributes: {
    kind: 'multi-label',
    groups: 2,
    bits: ATTRIBUTES.length,
    index: (labels, bit) => labels.attributes?.[bit] ?? -1,
  },
};

export const priorId = (of: string): string => `prior/${of}`;
const classesId = (feature: string): string => `classes/${feature}`;
const probeId = (facet: string): string => `probe/${facet}`;

/** How a probe could stand in for a facet's missing head. */
export const probeOf = (facet: string, head: ModelFacet['head']): Labelled | undefined =>
  head === undefined && Object.hasOwn(LABELLED, facet) ? LABELLED[facet] : undefined;

export interface FacetGroups {
  readonly facet: string;
  readonly feature: string;
  /** Where the facet has no head and is one that datasets may label. */
  readonly probe: Labelled | undefined;
}

const outputsOf = ({ kind, groups, bits }: Labelled): number => (kind === 'probe' ? groups : bits);

/** Which class each sample is of, or which bits it has; all of its bits are labelled, or none is. */
function probeGrouping(
  id: string,
  feature: string,
  probe: Labelled,
  samples: readonly SampleLabels[],
): Grouping {
  const outputs = outputsOf(probe);
  const indicators = new Uint8Array(samples.length * outputs);
  const index = new Int16Array(samples.length);
  samples.forEach((sample, i) => {
    const first = probe.index(sample, 0);
    index[i] = first < 0 ? -1 : 0;
    if (first < 0) return;
    if (probe.kind === 'probe') indicators[i * outputs + first] = 1;
    else for (let bit = 0; bit < outputs; bit++) indicators[i * outputs + bit] = probe.index(sample, bit);
  });
  return { id, of: { feature }, groups: 1, index, indicators };
}

/** What the moments of one chunk of samples, given in the order of the stream, are taken over. */
export function groupingsOf(
  facets: readonly FacetGroups[],
  texture: string,
  samples: readonly SampleLabels[],
): Grouping[] {
  const index = Int16Array.from(samples, classOf);
  const byClass = (id: string, of: Grouping['of']): Grouping => ({ id, of, groups: 2, index });
  // Facets may read the same tensor.
  const features = new Set(facets.map(({ feature }) => feature));
  const probes = facets.flatMap(({ facet, feature, probe }) =>
    probe === undefined ? [] : [probeGrouping(probeId(facet), feature, probe, samples)],
  );
  return [
    byClass(priorId(TEXTURE_PRIOR), { texture }),
    ...[...features].map((feature) => byClass(classesId(feature), { feature })),
    // Moments of nothing would still be whole matrices.
    ...probes.filter(({ index }) => index.some((group) => group >= 0)),
  ];
}

/** Whether the samples bore labels of at least two classes, without which a probe has nothing to tell apart. */
function tellsApart(probe: Labelled, { mean }: MomentsData): boolean {
  const shares = mean.slice(mean.length - outputsOf(probe));
  return probe.kind === 'probe'
    ? shares.filter((share) => share > 0).length >= 2
    : shares.some((share) => share > 0 && share < 1);
}

/** What to fit to the moments; priors, with controls that follow from `seed`, only where both classes are large enough. */
export function fitsOf(
  facets: readonly FacetGroups[],
  moments: GatheredMoments,
  { withPriors, seed }: { readonly withPriors: boolean; readonly seed: number },
): Fit[] {
  const prior = (name: string, groups: string): Fit => ({
    id: priorId(name),
    kind: 'prior',
    groups: moments.of(groups),
    seed,
  });
  const priors = [
    prior(TEXTURE_PRIOR, priorId(TEXTURE_PRIOR)),
    ...facets.map(({ facet, feature }) => prior(facet, classesId(feature))),
  ];
  const probes = facets.flatMap(({ facet, probe }): Fit[] => {
    const joined = moments.of(probeId(facet)).at(0);
    if (probe === undefined || joined === undefined || !tellsApart(probe, joined)) return [];
    return [{ id: facet, kind: probe.kind, outputs: outputsOf(probe), joined }];
  });
  return [...(withPriors ? priors : []), ...probes];
}

/** Which classes the moments of which tensors are taken over: for priors and for missing heads. */
import { Moments } from '@facet/adversary';
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
export const probeId = (facet: string, bit: number): string => `probe/${facet}/${bit}`;

/** How a probe could stand in for a facet's missing head. */
export const probeOf = (facet: string, head: ModelFacet['head']): Labelled | undefined =>
  head === undefined && Object.hasOwn(LABELLED, facet) ? LABELLED[facet] : undefined;

export interface FacetGroups {
  readonly facet: string;
  readonly feature: string;
  /** Where the facet has no head and is one that datasets may label. */
  readonly probe: Labelled | undefined;
}

/** What the moments of one chunk of samples, given in the order of the stream, are taken over. */
export function groupingsOf(
  facets: readonly FacetGroups[],
  texture: string,
  samples: readonly SampleLabels[],
): Grouping[] {
  const index = Int16Array.from(samples, classOf);
  const byClass = (name: string, of: Grouping['of']): Grouping => ({
    id: priorId(name),
    of,
    groups: 2,
    index,
  });
  const probes = facets.flatMap(({ facet, feature, probe }) =>
    Array.from({ length: probe?.bits ?? 0 }, (_, bit) => ({
      id: probeId(facet, bit),
      of: { feature },
      groups: probe!.groups,
      index: Int16Array.from(samples, (sample) => probe!.index(sample, bit)),
    })),
  );
  return [
    byClass(TEXTURE_PRIOR, { texture }),
    ...facets.map(({ facet, feature }) => byClass(facet, { feature })),
    // Moments of nothing would still be whole matrices.
    ...probes.filter(({ index }) => index.some((group) => group >= 0)),
  ];
}

/** Whether the samples bore labels of at least two classes, without which a probe has nothing to tell apart. */
const labelled = (facet: string, { bits, groups }: Labelled, moments: GatheredMoments): boolean =>
  Array.from({ length: bits }, (_, bit) => probeId(facet, bit)).some(
    (id) =>
      Array.from({ length: groups }, (_, group) => moments.count(id, group) > 0).filter(Boolean).length >= 2,
  );

/** What to fit to the moments; priors, with controls that follow from `seed`, only where both classes are large enough. */
export function fitsOf(
  facets: readonly FacetGroups[],
  moments: GatheredMoments,
  { withPriors, seed }: { readonly withPriors: boolean; readonly seed: number },
): Fit[] {
  const names = withPriors ? [TEXTURE_PRIOR, ...facets.map(({ facet }) => facet)] : [];
  const priors = names.map(priorId).map((id): Fit => ({ id, kind: 'prior', groups: moments.of(id), seed }));
  const probes = facets.flatMap(({ facet, probe }): Fit[] => {
    if (probe === undefined || !labelled(facet, probe, moments)) return [];
    const ids = Array.from({ length: probe.bits }, (_, bit) => probeId(facet, bit));
    // A bit that no sample had a label for has no moments: it is as empty as the others are wide.
    const width = ids.map((id) => moments.of(id).at(0)?.mean.length).find((size) => size !== undefined)!;
    const empty = Array.from({ length: probe.groups }, () => new Moments(width).data);
    const groups = ids.flatMap((id) => (moments.of(id).length === 0 ? empty : moments.of(id)));
    return [{ id: facet, kind: probe.kind, groups }];
  });
  return [...priors, ...probes];
}

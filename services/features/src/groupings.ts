/** Which classes the moments of which tensors are taken over: for priors, their controls, and missing heads. */
import { Moments } from '@facet/adversary';
import { Random } from '@facet/random';
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
export const controlId = (of: string): string => `control/${of}`;
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

/**
 * Shuffled classes for the control: of every two neighbours of one class in the stream, a drawn one is called live and the
 * other spoof. So each half holds half of either class exactly. A plain shuffle of a finite sample leans towards the true
 * classes or away from them by chance, and where classes lie far apart in the feature that chance is most of what its
 * prior says.
 */
export class ShuffledClasses {
  readonly #random: Random;
  readonly #waiting = new Map<number, number>();

  constructor(seed: number) {
    this.#random = new Random(seed, 'control');
  }

  /** The class that the next sample is given, which is of class `own`. */
  next(own: number): number {
    const partner = this.#waiting.get(own);
    if (partner === undefined) {
      const drawn = this.#random.integer(2) === 0 ? LIVE : SPOOF;
      this.#waiting.set(own, drawn);
      return drawn;
    }
    this.#waiting.delete(own);
    return partner === LIVE ? SPOOF : LIVE;
  }
}

/** What the moments of one chunk of samples, given in the order of the stream, are taken over. */
export function groupingsOf(
  facets: readonly FacetGroups[],
  texture: string,
  samples: readonly SampleLabels[],
  shuffled: ShuffledClasses,
): Grouping[] {
  const real = Int16Array.from(samples, classOf);
  const control = real.map((own) => shuffled.next(own));
  const pair = (name: string, of: Grouping['of']): Grouping[] => [
    { id: priorId(name), of, groups: 2, index: real },
    { id: controlId(name), of, groups: 2, index: control },
  ];
  const probes = facets.flatMap(({ facet, feature, probe }) =>
    Array.from({ length: probe?.bits ?? 0 }, (_, bit) => ({
      id: probeId(facet, bit),
      of: { feature },
      groups: probe!.groups,
      index: Int16Array.from(samples, (sample) => probe!.index(sample, bit)),
    })),
  );
  return [
    ...pair(TEXTURE_PRIOR, { texture }),
    ...facets.flatMap(({ facet, feature }) => pair(facet, { feature })),
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

/** What to fit to the moments; priors only where both classes are large enough. */
export function fitsOf(facets: readonly FacetGroups[], moments: GatheredMoments, withPriors: boolean): Fit[] {
  const names = withPriors ? [TEXTURE_PRIOR, ...facets.map(({ facet }) => facet)] : [];
  const priors = names.flatMap((name) =>
    [priorId(name), controlId(name)].map((id): Fit => ({ id, kind: 'prior', groups: moments.of(id) })),
  );
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

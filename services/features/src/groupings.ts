/** Which classes the moments of which tensors are taken over: for priors, their controls, and missing heads. */
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

/** 0 live, 1 spoof. */
export const classOf = (labels: SampleLabels): number => (labels.label === 'live' ? LIVE : SPOOF);

/** A facet that the dataset labels, so that a probe can stand in for a missing head. */
interface Labelled {
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

/** What a probe needs: labels of at least two classes among `samples`. */
export function probeOf(
  facet: string,
  head: ModelFacet['head'],
  samples: readonly SampleLabels[],
): Labelled | undefined {
  const labelled = head === undefined ? LABELLED[facet] : undefined;
  if (labelled === undefined) return undefined;
  for (let bit = 0; bit < labelled.bits; bit++) {
    const seen = new Set(samples.map((sample) => labelled.index(sample, bit)).filter((group) => group >= 0));
    if (seen.size >= 2) return labelled;
  }
  return undefined;
}

export interface FacetGroups {
  readonly facet: string;
  readonly feature: string;
  readonly probe: Labelled | undefined;
}

/**
 * The classes of all samples, and shuffled ones for the control: within each class one half, drawn at random, is called
 * live and the other spoof. A plain shuffle of a finite sample leans towards the true classes or away from them by chance,
 * and where classes lie far apart in the feature that chance is most of what its prior says.
 */
export function dealClasses(
  samples: readonly SampleLabels[],
  seed: number,
): { real: Int16Array; shuffled: Int16Array } {
  const real = Int16Array.from(samples, classOf);
  const shuffled = new Int16Array(samples.length);
  for (const own of [LIVE, SPOOF]) {
    const members = Array.from(real.keys()).filter((i) => real[i] === own);
    const order = new Random(seed, 'control', own).permutation(members.length);
    order.forEach((member, rank) => {
      shuffled[members[member]] = rank % 2 === 0 ? LIVE : SPOOF;
    });
  }
  return { real, shuffled };
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The groupings of the samples `from`..`to`. */
export function groupingsOf(
  facets: readonly FacetGroups[],
  texture: string,
  samples: readonly SampleLabels[],
  classes: { real: Int16Array; shuffled: Int16Array },
  { from, to }: Range,
): Grouping[] {
  const pair = (name: string, of: Grouping['of']): Grouping[] => [
    { id: priorId(name), of, groups: 2, index: classes.real.slice(from, to) },
    { id: controlId(name), of, groups: 2, index: classes.shuffled.slice(from, to) },
  ];
  const part = samples.slice(from, to);
  const probes = facets.flatMap(({ facet, feature, probe }) =>
    Array.from({ length: probe?.bits ?? 0 }, (_, bit) => ({
      id: probeId(facet, bit),
      of: { feature },
      groups: probe!.groups,
      index: Int16Array.from(part, (sample) => probe!.index(sample, bit)),
    })),
  );
  return [
    ...pair(TEXTURE_PRIOR, { texture }),
    ...facets.flatMap(({ facet, feature }) => pair(facet, { feature })),
    ...probes,
  ];
}

/** What to fit to the moments of all chunks; `withPriors` only where both classes are large enough. */
export function fitsOf(
  facets: readonly FacetGroups[],
  chunks: readonly Readonly<Record<string, Fit['chunks'][number]>>[],
  withPriors: boolean,
): Fit[] {
  const moments = (id: string): Fit['chunks'] => chunks.map((chunk) => chunk[id]);
  const names = withPriors ? [TEXTURE_PRIOR, ...facets.map(({ facet }) => facet)] : [];
  const priors = names.flatMap((name) =>
    [priorId(name), controlId(name)].map((id): Fit => ({ id, kind: 'prior', chunks: moments(id) })),
  );
  const probes = facets.flatMap(({ facet, probe }): Fit[] => {
    if (probe === undefined) return [];
    const bits = Array.from({ length: probe.bits }, (_, bit) => moments(probeId(facet, bit)));
    const together = chunks.map((_, i) => bits.flatMap((chunksOfBit) => chunksOfBit[i]));
    return [{ id: facet, kind: probe.kind, chunks: together }];
  });
  return [...priors, ...probes];
}

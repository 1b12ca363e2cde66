/** What each loss of a training compares with, sample by sample, from the dataset's labels. */
import { ATTRIBUTES, ILLUMINATIONS, LIVE, type SampleLabels, SPOOF, SPOOF_TYPES } from '@facet/contracts';
import type { Named, Target } from '@facet/learning';

/** A loss's target, by the loss's name. */
export type TargetSpec =
  /** 0 live, 1 spoof, as a class index. */
  | { readonly kind: 'decision' }
  /** The same as a number for each element of an output [n, ...dims]: 1 on the side that the output is high for. */
  | { readonly kind: 'side'; readonly high: 'live' | 'spoof'; readonly elements: number }
  /** The class or the attributes of a facet. */
  | { readonly kind: 'classes' | 'multi-label'; readonly facet: string }
  /** A facet's map at the size that the network predicts. */
  | { readonly kind: 'map'; readonly facet: string; readonly height: number; readonly width: number };

/** A sample as targets see it. */
export interface Labelled {
  readonly labels: SampleLabels;
  /** By facet, at the size that the network predicts. */
  readonly maps: Named<Float32Array>;
}

export const labelOf = ({ label }: SampleLabels): number => (label === 'live' ? LIVE : SPOOF);

/** Classes of the facets that are exclusive. */
export const FACET_CLASSES: Readonly<Record<string, readonly string[]>> = {
  'spoof-type': SPOOF_TYPES,
  illumination: ILLUMINATIONS,
};

/** The class of a sample for a facet, or -1 where it is unknown. */
function classIndex(facet: string, labels: SampleLabels): number {
  const named: Partial<Record<string, string>> = {
    'spoof-type': labels.spoofType,
    illumination: labels.illumination,
  };
  return FACET_CLASSES[facet]?.indexOf(named[facet] ?? '') ?? -1;
}

interface Compared {
  readonly target: Target;
  /** 1 where the label is known. */
  readonly mask: Float32Array;
}

const indices = (classes: readonly number[]): Compared => ({
  target: { kind: 'classes', data: BigInt64Array.from(classes, (index) => BigInt(Math.max(0, index))) },
  mask: Float32Array.from(classes, (index) => Number(index >= 0)),
});

/** A row of `size` for each sample, where it has one. */
function rowsOf(
  samples: readonly Labelled[],
  size: number,
  row: (sample: Labelled) => ArrayLike<number> | undefined,
): { data: Float32Array; mask: Float32Array } {
  const data = new Float32Array(samples.length * size);
  const mask = new Float32Array(samples.length);
  samples.forEach((sample, i) => {
    const known = row(sample);
    if (known === undefined) return;
    data.set(known, i * size);
    mask[i] = 1;
  });
  return { data, mask };
}

export function compared(spec: TargetSpec, samples: readonly Labelled[]): Compared {
  switch (spec.kind) {
    case 'decision':
      return indices(samples.map(({ labels }) => labelOf(labels)));
    case 'classes':
      return indices(samples.map(({ labels }) => classIndex(spec.facet, labels)));
    case 'side': {
      const { data, mask } = rowsOf(samples, spec.elements, ({ labels }) =>
        new Float32Array(spec.elements).fill(Number(labels.label === spec.high)),
      );
      return { target: { kind: 'multi-label', data }, mask };
    }
    case 'multi-label': {
      const { data, mask } = rowsOf(samples, ATTRIBUTES.length, ({ labels }) => labels.attributes);
      return { target: { kind: 'multi-label', data }, mask };
    }
    case 'map': {
      const { facet, height, width } = spec;
      const { data, mask } = rowsOf(samples, height * width, ({ maps }) => maps[facet]);
      return { target: { kind: 'map', data, height, width }, mask };
    }
  }
}

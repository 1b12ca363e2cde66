/** A facet's true target as the dataset knows it. */
import { ILLUMINATIONS, SPOOF_TYPES } from '@facet/contracts';
import type { StoredSample } from '@facet/datasets';
import type { FacetTruth } from '@facet/engine';

const classIndex = (names: readonly string[], name: string | undefined): FacetTruth | undefined =>
  name === undefined ? undefined : { kind: 'class', index: names.indexOf(name) };

const map = (png: Uint8Array | undefined): FacetTruth | undefined =>
  png === undefined ? undefined : { kind: 'map', png };

/** undefined where the dataset does not say; the model's own clean prediction stands in then. */
export function truthOf(facet: string, { labels, depth, reflection }: StoredSample): FacetTruth | undefined {
  switch (facet) {
    case 'spoof-type':
      return classIndex(SPOOF_TYPES, labels.spoofType);
    case 'illumination':
      return classIndex(ILLUMINATIONS, labels.illumination);
    case 'attributes':
      return labels.attributes && { kind: 'bits', bits: labels.attributes };
    case 'depth':
      return map(depth);
    case 'reflection':
      return map(reflection);
    default:
      return undefined;
  }
}

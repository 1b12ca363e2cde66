/** A model as an attack sees it: its decision, its facets, and what the data says about each. */
import type { FacetSource, ModelOutput, ModelManifest } from '@facet/contracts';
import type { LinearPrior } from '../prior/prior.js';

/** What the data allowed to fit to a feature. */
export interface Fitted {
  readonly prior?: LinearPrior;
  /** Directions [dimensions] that priors of shuffled labels have; each sample under the control is given one. */
  readonly controls?: readonly Float32Array[];
}

export interface AttackedFacet extends Fitted {
  readonly facet: string;
  readonly source: FacetSource;
  /** Tensor of the semantic feature; the mean over its positions is what priors speak about. */
  readonly feature: string;
  /** Present for `head` and `probe`; a probe's output is a tensor that the backend appends. */
  readonly head?: { readonly output: string; readonly kind: 'classes' | 'multi-label' | 'map' };
}

export interface AttackedModel {
  readonly input: ModelManifest['input'];
  readonly output: ModelOutput;
  readonly facets: readonly AttackedFacet[];
  /** A feature map that every facet and the decision pass through: texture, and where terms are balanced. */
  readonly texture: Fitted & { readonly tensor: string };
}

/** Name of the graph input that holds a facet's target. */
export const targetName = (facet: string): string => `target.${facet}`;

/** Name of the graph input that holds the control's directions, one per sample; of the texture's without a facet. */
export const controlName = (facet?: string): string =>
  facet === undefined ? 'texture-control' : `control.${facet}`;

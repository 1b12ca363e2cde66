/** A model as an attack sees it: its decision, its facets, and what the data says about each. */
import type { FacetSource, ModelOutput, ModelManifest } from '@facet/contracts';
import type { LinearPrior } from '../prior/prior.js';

export interface AttackedFacet {
  readonly facet: string;
  readonly source: FacetSource;
  /** Tensor of the semantic feature; the mean over its positions is what priors speak about. */
  readonly feature: string;
  /** Present for `head` and `probe`; a probe's output is a tensor that the backend appends. */
  readonly head?: { readonly output: string; readonly kind: 'classes' | 'multi-label' | 'map' };
  readonly prior?: LinearPrior;
  /** The prior fitted to shuffled labels. */
  readonly control?: LinearPrior;
}

export interface AttackedModel {
  readonly input: ModelManifest['input'];
  readonly output: ModelOutput;
  readonly facets: readonly AttackedFacet[];
  /** A feature map that every facet and the decision pass through: texture, and where terms are balanced. */
  readonly texture: { readonly tensor: string; readonly prior?: LinearPrior; readonly control?: LinearPrior };
}

/** Name of the graph input that holds a facet's target. */
export const targetName = (facet: string): string => `target.${facet}`;

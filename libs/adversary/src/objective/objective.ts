/**
 * Objectives as data: which terms an attack on a facet increases. The combination of `sfa` is ours:
 * L_f / |dL_f/db| + beta M / |dM/db| + gamma T / |dT/db|, each gradient taken per sample at the texture tensor b.
 */
import type { ModelOutput, ObjectiveName } from '@facet/contracts';
import type { ObjectiveSpec, Term } from '@facet/onnx';
import type { LinearPrior } from '../prior/prior.js';
import { targetName, type AttackedFacet, type AttackedModel, type Fitted } from './facet-model.js';

/** Weight of the prior's term beside the facet's own loss. */
export const BETA = 2;
/** Weight of the texture term; above beta / 2 facets become indistinguishable. */
export const GAMMA = 0.5;

/** The decision's own loss: the margin by which the wrong side wins, which never saturates. */
export function decisionTerm(output: ModelOutput): Term {
  switch (output.kind) {
    case 'logits':
      return { kind: 'group-margin', logits: output.name, live: output.live };
    case 'probabilities':
      return { kind: 'probability-margin', tensor: output.name, live: output.live };
    case 'logit':
      return { kind: 'logit-margin', tensor: output.name, high: output.high };
    case 'sigmoid':
      return { kind: 'sigmoid-margin', tensor: output.name, high: output.high };
    case 'map':
      return { kind: 'map-margin', tensor: output.name, high: output.high };
  }
}

function facetTerm(facet: AttackedFacet): Term {
  const target = targetName(facet.facet);
  switch (facet.head?.kind) {
    case 'classes':
      return { kind: 'cross-entropy', logits: facet.head.output, target };
    case 'multi-label':
      return { kind: 'binary-cross-entropy', logits: facet.head.output, target };
    case 'map':
      return { kind: 'squared-error', tensor: facet.head.output, target };
    case undefined:
      return { kind: 'pooled-distance', tensor: facet.feature, target };
  }
}

const linear = (tensor: string, prior: LinearPrior): Term => ({ kind: 'linear', tensor, ...prior });
const texture = (tensor: string, prior: LinearPrior): Term => ({ kind: 'texture', tensor, ...prior });

/** Whether a facet can be attacked by an objective, given what was fitted; `facet` undefined means the decision. */
export function offers(texture: Fitted, facet: Fitted | undefined, objective: ObjectiveName): boolean {
  switch (objective) {
    case 'direct':
      return facet === undefined;
    case 'facet':
      return facet !== undefined;
    case 'prior-only':
      return facet?.prior !== undefined;
    case 'sfa':
      return facet?.prior !== undefined && texture.prior !== undefined;
    case 'control':
      return facet?.control !== undefined && texture.control !== undefined;
  }
}

/** Pixels in [0,1] RGB to the model's input: value = pixel * scale + offset, in the model's channel order. */
export function inputTransform(input: AttackedModel['input']): ObjectiveSpec['input'] {
  return {
    name: input.name,
    swapRedBlue: input.colour === 'bgr',
    scale: input.std.map((std) => input.white / std) as [number, number, number],
    offset: input.std.map((std, i) => -input.mean[i] / std) as [number, number, number],
  };
}

/**
 * The objective of a cell as terms on the model's graph; `facet` undefined means the decision.
 * Errors: RangeError where the facet does not offer the objective ({@link offers}).
 */
export function objectiveOf(
  model: AttackedModel,
  facet: AttackedFacet | undefined,
  objective: ObjectiveName,
): ObjectiveSpec {
  if (!offers(model.texture, facet, objective))
    throw new RangeError(`facet ${facet?.facet ?? 'live'} does not offer the objective ${objective}`);
  const input = inputTransform(model.input);
  if (facet === undefined) return { input, terms: [{ term: decisionTerm(model.output), weight: 1 }] };
  const own = { term: facetTerm(facet), weight: 1 };
  if (objective === 'facet') return { input, terms: [own] };
  const prior = objective === 'control' ? facet.control : facet.prior;
  const textured = objective === 'control' ? model.texture.control : model.texture.prior;
  if (prior === undefined) throw new RangeError(`facet ${facet.facet} has no prior`);
  const towards = linear(facet.feature, prior);
  if (objective === 'prior-only' || textured === undefined)
    return { input, terms: [{ term: towards, weight: 1 }] };
  return {
    input,
    normaliseAt: model.texture.tensor,
    terms: [
      own,
      { term: towards, weight: BETA },
      { term: texture(model.texture.tensor, textured), weight: GAMMA },
    ],
  };
}

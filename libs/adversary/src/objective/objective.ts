/**
 * Objectives as data: which terms an attack on a facet increases. The combination of `sfa` is ours:
 * L_f / |dL_f/db| + beta M / |dM/db| + gamma T / |dT/db|, each gradient taken per sample at the texture tensor b.
 */
import type { Loss, ModelOutput, ObjectiveName } from '@facet/contracts';
import type { ObjectiveSpec, Term, WeightedTerm } from '@facet/onnx';
import type { LinearPrior } from '../prior/prior.js';
import {
  controlName,
  targetName,
  type AttackedFacet,
  type AttackedModel,
  type Fitted,
} from './facet-model.js';

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

/**
 * Whether a facet can be attacked by an objective, given what was fitted to the texture and to the model's facets;
 * `facet` undefined means the decision.
 */
export function offers(
  { texture, facets }: { readonly texture: Fitted; readonly facets: readonly Fitted[] },
  facet: Fitted | undefined,
  objective: ObjectiveName,
): boolean {
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
      return facet?.controls !== undefined && texture.controls !== undefined;
    case 'all-facets':
      return (
        facet === undefined && texture.prior !== undefined && facets.some(({ prior }) => prior !== undefined)
      );
  }
}

/** The facets that an objective asks something of, whose targets it therefore needs. */
export function facetsOf(
  model: Pick<AttackedModel, 'facets'>,
  facet: AttackedFacet | undefined,
  objective: ObjectiveName,
): readonly AttackedFacet[] {
  if (objective === 'all-facets') return model.facets.filter(({ prior }) => prior !== undefined);
  return facet === undefined ? [] : [facet];
}

/** Whether an objective compares facets with their targets. */
export const comparesTargets = (objective: ObjectiveName): boolean =>
  objective !== 'direct' && objective !== 'prior-only';

/** Pixels in [0,1] RGB to the model's input: value = pixel * scale + offset, in the model's channel order. */
export function inputTransform(input: AttackedModel['input']): ObjectiveSpec['input'] {
  return {
    name: input.name,
    swapRedBlue: input.colour === 'bgr',
    scale: input.std.map((std) => input.white / std) as [number, number, number],
    offset: input.std.map((std, i) => -input.mean[i] / std) as [number, number, number],
  };
}

/** The own losses and the prior's terms of facets, each facet with an equal share, and the texture's. */
function combined(
  model: AttackedModel,
  facets: readonly AttackedFacet[],
  priorTerm: (facet: AttackedFacet) => Term,
  textureTerm: Term,
): Pick<ObjectiveSpec, 'normaliseAt' | 'terms'> {
  const share = 1 / facets.length;
  return {
    normaliseAt: model.texture.tensor,
    terms: [
      ...facets.map((facet): WeightedTerm => ({ term: facetTerm(facet), weight: share })),
      ...facets.map((facet): WeightedTerm => ({ term: priorTerm(facet), weight: BETA * share })),
      { term: textureTerm, weight: GAMMA },
    ],
  };
}

const withPriors = (model: AttackedModel, facets: readonly AttackedFacet[]) =>
  combined(
    model,
    facets,
    ({ feature, prior }) => linear(feature, prior!),
    texture(model.texture.tensor, model.texture.prior!),
  );

/** The same with directions in place of priors that every sample brings along. */
const withControls = (model: AttackedModel, facet: AttackedFacet) =>
  combined(
    model,
    [facet],
    ({ facet: name, feature }) => ({ kind: 'projection', tensor: feature, target: controlName(name) }),
    { kind: 'texture-projection', tensor: model.texture.tensor, target: controlName() },
  );

/**
 * The objective of a cell as terms on the model's graph; `facet` undefined means the decision, whose `loss` `direct`
 * climbs. The decision's tensor comes out beside the gradient.
 * Errors: RangeError where the facet does not offer the objective ({@link offers}).
 */
export function objectiveOf(
  model: AttackedModel,
  facet: AttackedFacet | undefined,
  objective: ObjectiveName,
  loss: Loss = 'margin',
): ObjectiveSpec {
  if (!offers(model, facet, objective))
    throw new RangeError(`facet ${facet?.facet ?? 'live'} does not offer the objective ${objective}`);
  const about = { input: inputTransform(model.input), decision: model.output.name };
  const only = (term: Term, how: object = {}): ObjectiveSpec => ({
    ...about,
    terms: [{ term, weight: 1, ...how }],
  });
  if (facet === undefined && objective === 'direct')
    return only(decisionTerm(model.output), loss === 'margin' ? {} : { logistic: true });
  const facets = facetsOf(model, facet, objective);
  if (objective === 'facet') return only(facetTerm(facets[0]));
  if (objective === 'prior-only') return only(linear(facets[0].feature, facets[0].prior!));
  return {
    ...about,
    ...(objective === 'control' ? withControls(model, facets[0]) : withPriors(model, facets)),
  };
}

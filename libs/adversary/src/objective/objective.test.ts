import { ModelInput, type ModelOutput, OBJECTIVES, type ObjectiveName } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import type { LinearPrior } from '../prior/prior.js';
import {
  type AttackedFacet,
  type AttackedModel,
  controlName,
  type Fitted,
  targetName,
} from './facet-model.js';
import { BETA, facetsOf, GAMMA, inputTransform, objectiveOf, offers } from './objective.js';

const fit = (...weights: number[]): LinearPrior => ({ weights: Float32Array.from(weights), bias: 0.5 });
const [OWN, TEXTURE] = [fit(1, 2), fit(5)];
const [SHUFFLED, SHUFFLED_TEXTURE] = [[Float32Array.of(3, 4)], [Float32Array.of(6)]];

const input = ModelInput.parse({ name: 'image', height: 16, width: 16, colour: 'rgb', white: 1 });
const output: ModelOutput = { kind: 'logits', name: 'decision', classes: 3, live: [1] };
const facet: AttackedFacet = {
  facet: 'spoof-type',
  source: 'head',
  feature: 'semantic',
  head: { output: 'types', kind: 'classes' },
  prior: OWN,
  controls: SHUFFLED,
};
const model: AttackedModel = {
  input,
  output,
  facets: [facet],
  texture: { tensor: 'map', prior: TEXTURE, controls: SHUFFLED_TEXTURE },
};
const target = 'target.spoof-type';

describe('the decision', () => {
  it.each<[ModelOutput, object]>([
    [output, { kind: 'group-margin', logits: 'decision', live: [1] }],
    [
      { kind: 'probabilities', name: 'p', classes: 2, live: [0] },
      { kind: 'probability-margin', tensor: 'p', live: [0] },
    ],
    [
      { kind: 'logit', name: 'z', high: 'spoof' },
      { kind: 'logit-margin', tensor: 'z', high: 'spoof' },
    ],
    [
      { kind: 'sigmoid', name: 's', high: 'live' },
      { kind: 'sigmoid-margin', tensor: 's', high: 'live' },
    ],
    [
      { kind: 'map', name: 'm', high: 'live' },
      { kind: 'map-margin', tensor: 'm', high: 'live' },
    ],
  ])('is attacked through the margin of its own output: $kind', (given, term) => {
    const { terms, normaliseAt } = objectiveOf({ ...model, output: given }, undefined, 'direct');
    expect(terms).toEqual([{ term, weight: 1 }]);
    expect(normaliseAt).toBeUndefined();
    expect(objectiveOf({ ...model, output: given }, undefined, 'direct', 'cross-entropy').terms).toEqual([
      { term, weight: 1, logistic: true },
    ]);
  });
});

describe("a facet's own loss", () => {
  it.each<[string, AttackedFacet['head'], object]>([
    ['classes', facet.head, { kind: 'cross-entropy', logits: 'types', target }],
    [
      'bits',
      { output: 'bits', kind: 'multi-label' },
      { kind: 'binary-cross-entropy', logits: 'bits', target },
    ],
    ['a map', { output: 'depth', kind: 'map' }, { kind: 'squared-error', tensor: 'depth', target }],
    ['a plain tensor', undefined, { kind: 'pooled-distance', tensor: 'semantic', target }],
  ])('is that of its head: %s', (_, head, term) => {
    const { terms, normaliseAt } = objectiveOf(model, { ...facet, head }, 'facet');
    expect(terms).toEqual([{ term, weight: 1 }]);
    expect(normaliseAt).toBeUndefined();
  });
});

const own = { term: { kind: 'cross-entropy', logits: 'types', target: targetName('spoof-type') }, weight: 1 };

describe('objectives with a prior', () => {
  it('sfa balances own loss, prior and texture at the texture tensor', () => {
    expect(BETA).toBe(2);
    expect(GAMMA).toBeLessThanOrEqual(BETA / 2);
    expect(objectiveOf(model, facet, 'sfa')).toEqual({
      input: inputTransform(input),
      decision: 'decision',
      normaliseAt: 'map',
      terms: [
        own,
        { term: { kind: 'linear', tensor: 'semantic', ...OWN }, weight: 2 },
        { term: { kind: 'texture', tensor: 'map', ...TEXTURE }, weight: 0.5 },
      ],
    });
  });

  it('the control differs from it in that every sample brings its directions along', () => {
    const sfa = objectiveOf(model, facet, 'sfa');
    expect(objectiveOf(model, facet, 'control')).toEqual({
      ...sfa,
      terms: [
        own,
        { term: { kind: 'projection', tensor: 'semantic', target: controlName('spoof-type') }, weight: 2 },
        { term: { kind: 'texture-projection', tensor: 'map', target: controlName() }, weight: 0.5 },
      ],
    });
  });

  it('prior-only is the prior alone', () => {
    const { terms, normaliseAt } = objectiveOf(model, facet, 'prior-only');
    expect(terms).toEqual([{ term: { kind: 'linear', tensor: 'semantic', ...OWN }, weight: 1 }]);
    expect(normaliseAt).toBeUndefined();
  });
});

describe('all facets', () => {
  const depth: AttackedFacet = {
    facet: 'depth',
    source: 'head',
    feature: 'deep',
    head: { output: 'depth', kind: 'map' },
    prior: OWN,
  };
  const several = {
    ...model,
    facets: [facet, depth, { ...facet, facet: 'bare', prior: undefined }],
  } as AttackedModel;

  it('are attacked together, each with an equal share, beside the texture as in sfa', () => {
    const { terms, normaliseAt } = objectiveOf(several, undefined, 'all-facets');
    expect(normaliseAt).toBe('map');
    expect(terms).toEqual([
      { term: own.term, weight: 1 / 2 },
      { term: { kind: 'squared-error', tensor: 'depth', target: 'target.depth' }, weight: 1 / 2 },
      { term: { kind: 'linear', tensor: 'semantic', ...OWN }, weight: 1 },
      { term: { kind: 'linear', tensor: 'deep', ...OWN }, weight: 1 },
      { term: { kind: 'texture', tensor: 'map', ...TEXTURE }, weight: 0.5 },
    ]);
    expect(facetsOf(several, undefined, 'all-facets')).toEqual([facet, depth]);
    expect(facetsOf(several, depth, 'sfa')).toEqual([depth]);
    expect(facetsOf(several, undefined, 'direct')).toEqual([]);
  });

  it('of one facet are its sfa', () => {
    expect(objectiveOf(model, undefined, 'all-facets')).toEqual(objectiveOf(model, facet, 'sfa'));
  });
});

describe('what is offered', () => {
  const offered = (
    texture: Fitted,
    fitted: Fitted | undefined,
    facets: readonly Fitted[] = [],
  ): ObjectiveName[] => OBJECTIVES.filter((objective) => offers({ texture, facets }, fitted, objective));

  it('follows what was fitted to the facet and to the texture', () => {
    expect(offered(model.texture, undefined)).toEqual(['direct']);
    expect(offered(model.texture, undefined, [{}, facet])).toEqual(['direct', 'all-facets']);
    expect(offered({}, undefined, [facet])).toEqual(['direct']);
    expect(offered(model.texture, facet, [facet])).toEqual(['facet', 'sfa', 'prior-only', 'control']);
    expect(offered({}, facet)).toEqual(['facet', 'prior-only']);
    expect(offered(model.texture, {})).toEqual(['facet']);
    expect(offered(model.texture, { prior: OWN })).toEqual(['facet', 'sfa', 'prior-only']);
    expect(offered({ controls: SHUFFLED_TEXTURE }, { controls: SHUFFLED })).toEqual(['facet', 'control']);
  });

  it('is all that can be made an objective', () => {
    const bare = { facet: 'depth', source: 'tensor', feature: 'f' } as const;
    expect(() => objectiveOf(model, bare, 'sfa')).toThrow('facet depth does not offer the objective sfa');
    expect(() => objectiveOf(model, undefined, 'facet')).toThrow('facet live does not offer');
    expect(() => objectiveOf(model, facet, 'direct')).toThrow(RangeError);
  });
});

describe('inputTransform', () => {
  it('takes a white pixel and a black one to where the manifest says they are', () => {
    const given = ModelInput.parse({
      name: 'image',
      height: 16,
      width: 16,
      colour: 'bgr',
      white: 255,
      mean: [104, 117, 123],
      std: [1, 2, 4],
    });
    const { scale, offset, swapRedBlue, name } = inputTransform(given);
    expect({ name, swapRedBlue }).toEqual({ name: 'image', swapRedBlue: true });
    scale.forEach((factor, i) => {
      expect(offset[i]).toBeCloseTo((0 - given.mean[i]) / given.std[i], 12);
      expect(factor + offset[i]).toBeCloseTo((255 - given.mean[i]) / given.std[i], 12);
    });
    expect(inputTransform(input)).toMatchObject({ swapRedBlue: false, scale: [1, 1, 1] });
  });
});

/**
 * Every term's value and the gradient of its value with respect to the tensor that it stands on, both in closed
 * form. Values are [N]; gradients have the tensor's shape.
 */
import {
  binaryCrossEntropy,
  crossEntropy,
  groupMargin,
  logitMargin,
  probabilityMargin,
  sigmoidMargin,
  softCrossEntropy,
} from './decision-terms.js';
import {
  linear,
  mapMargin,
  pooledDistance,
  projection,
  squaredError,
  texture,
  textureProjection,
} from './feature-terms.js';
import type { Term } from './spec.js';
import type { Seeded, TermContext } from './term.js';

export function seedTerm(c: TermContext, term: Term): Seeded {
  switch (term.kind) {
    case 'cross-entropy':
      return crossEntropy(c, term.logits, term.target);
    case 'soft-cross-entropy':
      return softCrossEntropy(c, term.logits, term.target);
    case 'group-margin':
      return groupMargin(c, term.logits, term.live);
    case 'logit-margin':
      return logitMargin(c, term.tensor, term.high);
    case 'probability-margin':
      return probabilityMargin(c, term.tensor, term.live);
    case 'sigmoid-margin':
      return sigmoidMargin(c, term.tensor, term.high);
    case 'map-margin':
      return mapMargin(c, term.tensor, term.high);
    case 'binary-cross-entropy':
      return binaryCrossEntropy(c, term.logits, term.target);
    case 'squared-error':
      return squaredError(c, term.tensor, term.target);
    case 'pooled-distance':
      return pooledDistance(c, term.tensor, term.target);
    case 'linear':
      return linear(c, term.tensor, term.weights, term.bias);
    case 'texture':
      return texture(c, term.tensor, term.weights, term.bias);
    case 'projection':
      return projection(c, term.tensor, term.target);
    case 'texture-projection':
      return textureProjection(c, term.tensor, term.target);
  }
}

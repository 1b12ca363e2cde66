/**
 * The terms of an objective as functions of TensorFlow tensors, from their definition in `@facet/onnx` alone:
 * gradients come from TensorFlow, so that they bear witness to those written there by hand.
 */
import type { Graph, Term } from '@facet/onnx';
import { binaryCrossEntropy, crossEntropy, sampleMean, squaredError } from '../losses.js';
import type { TF, TfTensor } from '../tf.js';

const PROBABILITY_FLOOR = 1e-6;
const TEXTURE_EPSILON = 1e-5;

/** A term with the name of the one tensor that it stands on. */
export interface PlacedTerm {
  readonly term: Term;
  readonly tensor: string;
}

/** The input of the node that makes `tensor`, if that is of the operator `op` over the last axis. */
function before(graph: Graph, tensor: string, op: string): string | undefined {
  const maker = graph.nodes.find((node) => node.outputs[0] === tensor);
  const axis = maker?.attributes['axis'];
  const last = axis?.kind !== 'int' || axis.value === -1n || axis.value === 1n;
  return maker?.op === op && last ? maker.inputs[0] : undefined;
}

/** Probabilities are taken back to their logits where the graph has them: the same number, without saturation. */
export function placed(graph: Graph, term: Term): PlacedTerm {
  if (term.kind === 'probability-margin') {
    const logits = before(graph, term.tensor, 'Softmax');
    if (logits !== undefined)
      return { term: { kind: 'group-margin', logits, live: term.live }, tensor: logits };
  }
  if (term.kind === 'sigmoid-margin') {
    const logit = before(graph, term.tensor, 'Sigmoid');
    if (logit !== undefined)
      return { term: { kind: 'logit-margin', tensor: logit, high: term.high }, tensor: logit };
  }
  return { term, tensor: 'logits' in term ? term.logits : term.tensor };
}

/** Axes of a feature's positions: height and width of [N, C, H, W], tokens of [N, T, C], none of [N, C]. */
const positions = (x: TfTensor): number[] => (x.rank === 4 ? [2, 3] : x.rank === 3 ? [1] : []);

const pooled = (tf: TF, x: TfTensor): TfTensor => (x.rank === 2 ? x : tf.mean(x, positions(x)));

/** Channel means and deviations, [N, 2C]. */
function textureStatistic(tf: TF, x: TfTensor): TfTensor {
  const { mean, variance } = tf.moments(x, positions(x));
  return tf.concat([mean, tf.sqrt(tf.add(variance, TEXTURE_EPSILON))], 1);
}

/** Columns of the classes of one side. */
function columns(tf: TF, x: TfTensor, live: readonly number[], side: 'live' | 'spoof'): TfTensor {
  const [, count]: number[] = x.shape;
  const chosen = Array.from({ length: count }, (_, k) => k).filter(
    (k) => live.includes(k) === (side === 'live'),
  );
  return tf.gather(x, tf.tensor1d(chosen, 'int32'), 1);
}

/** weights . x + bias, for x [N, C]; [N]. */
const affine = (tf: TF, x: TfTensor, weights: Float32Array, bias: number): TfTensor =>
  tf.add(tf.sum(tf.mul(x, tf.tensor1d(weights)), 1), bias);

/**
 * A term's value per sample, [N].
 * @param x the tensor that the term stands on
 * @param sign 1 - 2 label, [N]
 * @param target gives a target by its name
 */
export function termValue(
  tf: TF,
  term: Term,
  x: TfTensor,
  sign: TfTensor,
  target: (name: string) => TfTensor,
): TfTensor {
  const towardsOther = (value: TfTensor, high: 'live' | 'spoof' = 'spoof'): TfTensor =>
    tf.mul(tf.reshape(value, [-1]), high === 'spoof' ? sign : tf.neg(sign));
  switch (term.kind) {
    case 'cross-entropy':
      return crossEntropy(tf, x, target(term.target));
    case 'soft-cross-entropy':
      return tf.neg(tf.sum(tf.mul(target(term.target), tf.logSoftmax(x)), 1));
    case 'binary-cross-entropy':
      return binaryCrossEntropy(tf, x, target(term.target));
    case 'squared-error':
      return squaredError(tf, x, target(term.target));
    case 'group-margin': {
      const mass = (side: 'live' | 'spoof'): TfTensor => tf.logSumExp(columns(tf, x, term.live, side), 1);
      return towardsOther(tf.sub(mass('spoof'), mass('live')));
    }
    case 'probability-margin': {
      const mass = (side: 'live' | 'spoof'): TfTensor =>
        tf.log(tf.add(tf.sum(columns(tf, x, term.live, side), 1), PROBABILITY_FLOOR));
      return towardsOther(tf.sub(mass('spoof'), mass('live')));
    }
    case 'logit-margin':
      return towardsOther(x, term.high);
    case 'sigmoid-margin': {
      const no = tf.add(tf.sub(1, x), PROBABILITY_FLOOR);
      return towardsOther(tf.sub(tf.log(tf.add(x, PROBABILITY_FLOOR)), tf.log(no)), term.high);
    }
    case 'map-margin':
      return towardsOther(sampleMean(tf, x), term.high);
    case 'pooled-distance':
      return tf.sum(tf.square(tf.sub(pooled(tf, x), target(term.target))), 1);
    case 'linear':
      return towardsOther(affine(tf, pooled(tf, x), term.weights, term.bias));
    case 'projection':
      return towardsOther(tf.sum(tf.mul(pooled(tf, x), target(term.target)), 1));
    case 'texture':
      return towardsOther(affine(tf, textureStatistic(tf, x), term.weights, term.bias));
    case 'texture-projection':
      return towardsOther(tf.sum(tf.mul(textureStatistic(tf, x), target(term.target)), 1));
  }
}

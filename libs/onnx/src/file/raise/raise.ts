/**
 * Older models in the words of the operator set that everything here stands on. An operator is listed with the
 * version that changed its meaning or its form; all others of versions 7 to 17 mean the same at 18.
 */
import { OUR_IR_VERSION, OUR_OPSET } from '../../builder.js';
import { ModelError } from '../../errors.js';
import type { Model } from '../../graph.js';
import { axesToInput, clip, dropout, pad, slice, split, topK } from './inputs.js';
import { Raising, type Rewrite } from './raising.js';
import { batchNormalization, resize, roiAlign, scatter, softmax, upsample } from './semantics.js';

/** The first version whose operators broadcast as today's do. */
const OLDEST_OPSET = 7;

/** Rewrites by operator; they apply to models of an operator set below `before`. */
const REWRITES: Readonly<Record<string, { readonly before: number; readonly rewrite: Rewrite }>> = {
  BatchNormalization: { before: 14, rewrite: batchNormalization },
  Clip: { before: 11, rewrite: clip },
  Dropout: { before: 12, rewrite: dropout },
  Hardmax: { before: 13, rewrite: softmax },
  LogSoftmax: { before: 13, rewrite: softmax },
  Pad: { before: 11, rewrite: pad },
  ReduceL1: { before: 18, rewrite: axesToInput },
  ReduceL2: { before: 18, rewrite: axesToInput },
  ReduceLogSum: { before: 18, rewrite: axesToInput },
  ReduceLogSumExp: { before: 18, rewrite: axesToInput },
  ReduceMax: { before: 18, rewrite: axesToInput },
  ReduceMean: { before: 18, rewrite: axesToInput },
  ReduceMin: { before: 18, rewrite: axesToInput },
  ReduceProd: { before: 18, rewrite: axesToInput },
  ReduceSum: { before: 13, rewrite: axesToInput },
  ReduceSumSquare: { before: 18, rewrite: axesToInput },
  Resize: { before: 13, rewrite: resize },
  RoiAlign: { before: 16, rewrite: roiAlign },
  Scatter: { before: 11, rewrite: scatter },
  Slice: { before: 10, rewrite: slice },
  Softmax: { before: 13, rewrite: softmax },
  Split: { before: 18, rewrite: split },
  Squeeze: { before: 13, rewrite: axesToInput },
  TopK: { before: 10, rewrite: topK },
  Unsqueeze: { before: 13, rewrite: axesToInput },
  Upsample: { before: 18, rewrite: upsample },
};

/**
 * A model of operator set 7 to 17 as one of 18 that computes the same; later ones stay as they are.
 *
 * @throws ModelError 'unsupported' naming the node whose old meaning has no words in 18.
 */
export function raiseOpset(model: Model): Model {
  if (model.opset >= OUR_OPSET) return model;
  if (model.opset < OLDEST_OPSET)
    throw new ModelError(
      'unsupported',
      `version ${model.opset} is older than ${OLDEST_OPSET}`,
      'opset_import',
    );
  const graph = new Raising(model);
  for (const node of model.graph.nodes) {
    const rule = node.domain === '' && Object.hasOwn(REWRITES, node.op) ? REWRITES[node.op] : undefined;
    const rewritten = rule && model.opset < rule.before ? rule.rewrite(node, graph) : undefined;
    graph.push(rewritten ?? node);
  }
  return {
    ...model,
    opset: OUR_OPSET,
    irVersion: Math.max(model.irVersion, OUR_IR_VERSION),
    graph: graph.graph(),
  };
}

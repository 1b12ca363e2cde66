/**
 * The torchvision families in small: gradient graphs of @facet/onnx against TensorFlow.js's own differentiation. Ours
 * folds and rewrites the graph first, TensorFlow.js runs it as it is.
 */
import { compileObjective, type Dim, type ObjectiveSpec, prepare, raiseOpset } from '@facet/onnx';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { cosine, distinct, relativeError, runSession, sessionOf } from '../onnxruntime.fixture.js';
import { TensorFlowOracle } from '../oracle.js';
import { FAMILIES, familyModel, IMAGE_SIDE } from './networks.fixture.js';

const N = 2;
const LABELS = [0, 1];
const COUNT = N * 3 * IMAGE_SIDE ** 2;
const DIMS = [N, 3, IMAGE_SIDE, IMAGE_SIDE];

const objective: ObjectiveSpec = {
  input: { name: 'pixels', swapRedBlue: true, scale: [3, 4, 3.5], offset: [-1.5, -2, -1.7] },
  terms: [{ term: { kind: 'group-margin', logits: 'logits', live: [0, 2] }, weight: 1 }],
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it.each(Object.keys(FAMILIES))('%s', async (name) => {
  const model = familyModel(name);
  const dims = new Map<string, readonly Dim[]>([['pixels', [{ perSample: 1 }, ...DIMS.slice(1)]]]);
  const prepared = prepare(raiseOpset(model), dims, { keep: new Set(['logits']) });
  const pixels = distinct(COUNT, 5, 1 / COUNT).map((value) => value + 0.5);
  const compiled = compileObjective(prepared, objective);
  const session = await sessionOf(compiled.graph, compiled.opset);
  const expected = await runSession(session, {
    pixels: { dims: DIMS, data: pixels },
    label: { dims: [N], data: BigInt64Array.from(LABELS, BigInt) },
  });
  await session.release();
  const oracle = new TensorFlowOracle(tf, {
    graph: model.graph,
    objective,
    output: { kind: 'logits', name: 'logits', classes: 3, live: [0, 2] },
    height: IMAGE_SIDE,
    width: IMAGE_SIDE,
  });
  const actual = await oracle.gradient({ n: N, pixels, labels: Uint8Array.from(LABELS), targets: new Map() });
  oracle.close();
  const gradient = expected['gradient'].data as Float32Array;
  expect(cosine(actual.gradient, gradient)).toBeGreaterThan(0.99999);
  expect(relativeError(actual.gradient, gradient)).toBeLessThan(1e-4);
  expect(relativeError(actual.value, expected['value'].data as Float32Array)).toBeLessThan(1e-4);
});

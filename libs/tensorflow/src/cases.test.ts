// Networks with known outputs and gradients. The folder is named by FACET_CASES; without it there is nothing to compare with.
import {
  compileObjective,
  prepare,
  raiseOpset,
  readModel,
  rebatch,
  type Dim,
  type ObjectiveSpec,
} from '@facet/onnx';
import type { ModelOutput } from '@facet/contracts';
import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { uploadInitializers } from './constants.js';
import { execute } from './execute.js';
import { gradientOf } from './gradient.js';
import { crossEntropy } from './losses.js';
import {
  cosine,
  distinct,
  largestDifference,
  relativeError,
  runSession,
  sessionOf,
} from './onnxruntime.fixture.js';
import { TensorFlowOracle } from './oracle.js';

const folder = process.env['FACET_CASES'];
const NETWORKS = ['vgg', 'densenet', 'vit', 'mobilenetv2', 'convnext', 'cdcn'];
const PUBLISHED = ['AntiSpoofing_bin_1.5_128', 'minifas'];
/** The pure JavaScript backend is slow; other work may share the machine. */
const TIMEOUT_MS = 120_000;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.skipIf(folder === undefined)('reference networks (FACET_CASES)', () => {
  const path = (...parts: string[]): string => join(folder ?? '', ...parts);
  const floats = (name: string): Float32Array => {
    const bytes = readFileSync(path('gradients', name));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };

  it.each(NETWORKS)(
    '%s: output and gradient of the cross-entropy',
    (name) => {
      const { graph } = readModel(readFileSync(path('gradients', `${name}.onnx`)));
      const [input] = graph.inputs;
      const [output] = graph.outputs;
      const x = tf.tensor(floats(`${name}.input.f32`), [2, 3, 64, 64]);
      const labels = tf.tensor1d([0, 1], 'int32');
      let logits: tf.Tensor | undefined;
      const { gradient } = gradientOf(tf, graph, { [input.name]: x }, input.name, [output.name], (made) => {
        logits = tf.keep(made[output.name].clone());
        return tf.sum(crossEntropy(tf, made[output.name], labels));
      });
      const expected = floats(`${name}.gradient.f32`);
      expect(largestDifference(logits!.dataSync(), floats(`${name}.output.f32`))).toBeLessThan(1e-4);
      const actual = gradient.dataSync();
      // The head of one network is all zeros, and so is its gradient.
      if (expected.every((value) => value === 0))
        return expect(actual.every((value) => value === 0)).toBe(true);
      expect(cosine(actual, expected)).toBeGreaterThan(0.999);
      expect(relativeError(actual, expected)).toBeLessThan(0.01);
    },
    TIMEOUT_MS,
  );

  it.each(PUBLISHED)(
    '%s: the same logits as ONNX Runtime',
    async (name) => {
      const model = readModel(readFileSync(path('published', `${name}.onnx`)));
      const { graph } = model;
      const [input] = graph.inputs;
      const [output] = graph.outputs;
      const x = {
        dims: [1, 3, 128, 128],
        data: distinct(3 * 128 * 128, 3, 2e-5).map((value) => value + 0.5),
      };
      const expected = await runSession(await sessionOf(graph, model.opset), { [input.name]: x });
      const weights = uploadInitializers(tf, graph);
      const feeds = { ...weights, [input.name]: tf.tensor(x.data, x.dims) };
      const actual = execute(tf, graph, feeds, [output.name])[output.name];
      expect(largestDifference(actual.dataSync(), expected[output.name].data as Float32Array)).toBeLessThan(
        1e-3,
      );
    },
    TIMEOUT_MS,
  );

  // The reference gradients stand on the logits, which one head turns to zero. This one stands on what the head
  // reads, with weights that no network is indifferent to, and both sides differentiate the same prepared graph.
  it.each([
    ...NETWORKS.map((name) => join('gradients', name)),
    ...PUBLISHED.map((name) => join('published', name)),
  ])(
    '%s: a linear objective on the last feature, against the gradient graph of @facet/onnx',
    async (name) => {
      const read = rebatch(raiseOpset(readModel(readFileSync(path(`${name}.onnx`)))));
      const [input] = read.graph.inputs;
      const [, , height, width] = input.dims.map(Number);
      const batch: readonly Dim[] = [{ perSample: 1 }, 3, height, width];
      const prepared = prepare(read, new Map([[input.name, batch]]));
      const { graph } = prepared.model;
      const output = graph.outputs[0].name;
      const feature = graph.nodes.find((node) => node.outputs.includes(output))!.inputs[0];
      const dims = prepared.shapes.get(feature)!.dims;
      const channels = Number(dims[dims.length === 3 ? 2 : 1]);
      const objective: ObjectiveSpec = {
        input: { name: input.name, swapRedBlue: true, scale: [1, 2, 1.5], offset: [0, -0.5, 0.1] },
        terms: [
          { term: { kind: 'linear', tensor: feature, weights: distinct(channels, 8), bias: 0.1 }, weight: 1 },
        ],
      };
      const n = 1;
      const pixels = distinct(n * 3 * height * width, 3, 1 / (n * 3 * height * width)).map(
        (value) => value + 0.5,
      );
      const session = await sessionOf(compileObjective(prepared, objective).graph, prepared.model.opset);
      const expected = await runSession(session, {
        pixels: { dims: [n, 3, height, width], data: pixels },
        label: { dims: [n], data: BigInt64Array.of(1n) },
      });
      const decision: ModelOutput = { kind: 'logits', name: output, classes: 2, live: [0] };
      const oracle = new TensorFlowOracle(tf, { graph, objective, output: decision, height, width });
      const actual = await oracle.gradient({ n, pixels, labels: Uint8Array.of(1), targets: new Map() });
      oracle.close();
      expect(actual.gradient.some((value) => value !== 0)).toBe(true);
      expect(cosine(actual.gradient, expected['gradient'].data as Float32Array)).toBeGreaterThan(0.9999);
      expect(relativeError(actual.gradient, expected['gradient'].data as Float32Array)).toBeLessThan(0.01);
      expect(relativeError(actual.value, expected['value'].data as Float32Array)).toBeLessThan(1e-3);
    },
    TIMEOUT_MS,
  );
});

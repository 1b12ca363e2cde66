/** Small models of many operators, for what bends and breaks models. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelManifest } from '@facet/contracts';
import { GraphBuilder, type Model, modelOf, tensorF32, writeModel } from '@facet/onnx';
import { Random } from '@facet/random';
import { network, sourceOf } from './engine.fixture.js';

export interface Subject {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
}

const SIDE = 12;

const manifestOf = (name: string, input: string, output: string, side: number, classes = 2): ModelManifest =>
  ModelManifest.parse({
    schema: 'facet.model/v1',
    name,
    version: '1',
    input: { name: input, layout: 'nchw', height: side, width: side, colour: 'rgb', white: 1 },
    output: { kind: 'logits', name: output, classes, live: [0] },
    facets: {},
  });

/** Convolutions, pools, resizing, normalisation, attention, shape arithmetic and constants that grow. */
export function manyOperators(): Model {
  const b = new GraphBuilder();
  const random = new Random(1, 'many operators');
  const weights = (...dims: number[]): string =>
    b.constant(
      tensorF32(
        dims,
        Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => 0.3 * random.normal()),
      ),
    );
  b.input('pixels', 'float32', ['N', 3, SIDE, SIDE]);
  let x = b.node('Conv', ['pixels', weights(4, 3, 3, 3), weights(4)], { pads: [1, 1, 1, 1] });
  x = b.node('BatchNormalization', [
    x,
    ...[1, 2, 3].map(() => weights(4)),
    b.constant(tensorF32([4], [1, 1, 1, 1])),
  ]);
  x = b.node('Relu', [x]);
  x = b.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  x = b.node('Pad', [x, b.i64([0, 0, 1, 1, 0, 0, 1, 1])]);
  x = b.node('Slice', [x, b.i64([1, 0]), b.i64([5, 8]), b.i64([2, 3]), b.i64([1, 2])]);
  x = b.node('Resize', [x, '', b.constant(tensorF32([4], [1, 1, 2, 2]))], { mode: 'nearest' });
  x = b.node('Clip', [b.node('PRelu', [x, weights(4, 1, 1)]), b.f32(-2), b.f32(2)]);
  x = b.node('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 });
  x = b.node('ConvTranspose', [x, weights(4, 4, 2, 2)], { strides: [2, 2] });
  const shape = b.node('Shape', [x]);
  const rows = b.node('Gather', [shape, b.i64([0])]);
  const target = b.node('Concat', [rows, b.i64([4, -1])], { axis: 0 });
  let tokens = b.node('Transpose', [b.node('Reshape', [x, target])], { perm: [0, 2, 1] });
  const extra = b.node('ConstantOfShape', [b.node('Concat', [b.i64([1]), b.i64([1, 4])], { axis: 0 })]);
  const token = b.node('Expand', [extra, b.node('Concat', [rows, b.i64([1, 4])], { axis: 0 })]);
  tokens = b.node('Concat', [token, tokens], { axis: 1 });
  tokens = b.node('LayerNormalization', [tokens, weights(4), weights(4)]);
  const [query, key, value] = [1, 2, 3].map(() => b.node('MatMul', [tokens, weights(4, 4)]));
  const scores = b.node('MatMul', [query, b.node('Transpose', [key], { perm: [0, 2, 1] })]);
  tokens = b.node('Add', [tokens, b.node('MatMul', [b.node('Softmax', [scores], { axis: -1 }), value])]);
  const range = b.node('Range', [
    b.constant({ type: 'int64', dims: [], data: BigInt64Array.of(0n) }),
    ...[4n, 1n].map((n) => b.constant({ type: 'int64', dims: [], data: BigInt64Array.of(n) })),
  ]);
  const ramp = b.node('Tile', [b.node('Cast', [range], { to: 1 }), b.i64([1])]);
  const mean = b.node('ReduceMean', [b.node('Mul', [tokens, ramp]), b.i64([1])], { keepdims: 0 });
  const bent = b.node('Where', [b.node('Greater', [mean, b.f32(0)]), mean, b.node('Tanh', [mean])]);
  b.node('Gemm', [bent, weights(2, 4), weights(2)], { transB: 1 }, 'live');
  b.output('live', 'float32', ['N', 2]);
  return modelOf(b.build('many'));
}

/** What a quantised export holds: 8-bit convolutions between QuantizeLinear and DequantizeLinear. */
export function quantised(): Model {
  const b = new GraphBuilder();
  const random = new Random(2, 'quantised');
  b.input('pixels', 'float32', ['N', 3, SIDE, SIDE]);
  const scale = b.f32(0.05);
  const zero = b.constant({ type: 'uint8', dims: [], data: Uint8Array.of(3) });
  const none = b.constant({ type: 'int8', dims: [], data: Int8Array.of(0) });
  const kernel = b.constant({
    type: 'int8',
    dims: [4, 3, 3, 3],
    data: Int8Array.from({ length: 108 }, () => random.integer(255) - 127),
  });
  const x = b.node('QuantizeLinear', ['pixels', scale, zero]);
  const y = b.node('QLinearConv', [x, scale, zero, kernel, b.f32(0.01), none, scale, zero]);
  const pooled = b.node('GlobalAveragePool', [b.node('DequantizeLinear', [y, scale, zero])]);
  const flat = b.node('Flatten', [pooled]);
  b.node('Gemm', [flat, b.constant(tensorF32([4, 2], [1, -1, 2, -2, 3, -3, 4, -4]))], {}, 'live');
  b.output('live', 'float32', ['N', 2]);
  return modelOf(b.build('quantised'));
}

export const ownSubjects = (): Subject[] => [
  {
    name: 'many operators',
    bytes: writeModel(manyOperators()),
    manifest: manifestOf('many', 'pixels', 'live', SIDE),
  },
  {
    name: 'quantised',
    bytes: writeModel(quantised()),
    manifest: manifestOf('quantised', 'pixels', 'live', SIDE),
  },
  { name: 'multitask network', bytes: writeModel(network.model), manifest: sourceOf().manifest },
];

/** Published architectures, small; [file, input, output, classes] of FACET_CASES. */
export const publishedSubjects = (folder: string): Subject[] =>
  ['cdcn', 'convnext', 'densenet', 'vgg', 'vit'].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(join(folder, 'gradients', `${name}.onnx`))),
    manifest: manifestOf(name, 'image', 'logits', 64),
  }));

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { float, tensorF32, tensorI64, type GraphBuilder } from '../../builder.js';
import type { Model } from '../../graph.js';
import { raiseOpset } from '../raise/raise.js';
import { readModel } from '../read.js';
import { modelOfNodes, noise, type NodeInput } from '../runtime.fixture.js';
import { writeModel } from '../write.js';
import { mixesSamples } from './mixing.js';
import { shapesAt } from './open.js';
import { rebatch } from './rebatch.js';

const SAMPLES = 3;

interface Case {
  readonly name: string;
  readonly dims: readonly number[];
  readonly nodes: readonly NodeInput[];
  readonly output: readonly number[];
  readonly extend?: (builder: GraphBuilder) => void;
}

const constants =
  (values: Readonly<Record<string, readonly number[]>>) =>
  (builder: GraphBuilder): void => {
    for (const [name, value] of Object.entries(values)) builder.initializer(name, tensorI64(value));
  };
const reshape = (target: readonly number[]): Pick<Case, 'nodes' | 'extend'> => ({
  nodes: [{ op: 'Reshape', inputs: ['x', 'target'] }],
  extend: constants({ target }),
});

const FOLLOWS: readonly Case[] = [
  { name: 'no Reshape at all', dims: [1, 3, 4, 4], nodes: [{ op: 'Relu' }], output: [1, 3, 4, 4] },
  { name: 'a flat Reshape', dims: [1, 3, 2], output: [1, 6], ...reshape([1, 6]) },
  { name: 'a Reshape with the rest open', dims: [1, 3, 2], output: [1, 6], ...reshape([1, -1]) },
  { name: 'a Reshape that copies the batch', dims: [1, 3, 2], output: [1, 6], ...reshape([0, 6]) },
  { name: 'a Reshape into windows', dims: [1, 4, 2], output: [2, 4], ...reshape([2, 4]) },
  { name: 'a batch of two', dims: [2, 3, 2], output: [2, 6], ...reshape([2, 6]) },
  {
    name: 'a batch that stands behind, as in attention',
    dims: [1, 5, 6],
    nodes: [
      { op: 'Transpose', attributes: { perm: [1, 0, 2] }, outputs: ['t'] },
      { op: 'Reshape', inputs: ['t', 'heads'], outputs: ['h'] },
      { op: 'Transpose', inputs: ['h'], attributes: { perm: [1, 0, 2] }, outputs: ['b'] },
      { op: 'Softmax', inputs: ['b'], outputs: ['s'] },
      { op: 'Transpose', inputs: ['s'], attributes: { perm: [1, 0, 2] }, outputs: ['back'] },
      { op: 'Reshape', inputs: ['back', 'joined'], outputs: ['j'] },
      { op: 'Transpose', inputs: ['j'], attributes: { perm: [1, 0, 2] } },
    ],
    extend: constants({ heads: [5, 2, 3], joined: [5, 1, 6] }),
    output: [1, 5, 6],
  },
  {
    name: 'rows of all samples as one axis, as in attention',
    dims: [1, 5, 6],
    nodes: [
      { op: 'Transpose', attributes: { perm: [1, 0, 2] }, outputs: ['t'] },
      { op: 'Reshape', inputs: ['t', 'heads'], outputs: ['h'] },
      { op: 'Reshape', inputs: ['h', 'rows'], outputs: ['r'] },
      { op: 'Softmax', inputs: ['r'], outputs: ['s'] },
      { op: 'Reshape', inputs: ['s', 'apart'], outputs: ['a'] },
      { op: 'Transpose', inputs: ['a'], attributes: { perm: [1, 0, 2] } },
    ],
    extend: constants({ heads: [5, 1, 2, 3], rows: [5, 6], apart: [5, 1, 6] }),
    output: [1, 5, 6],
  },
  {
    name: 'a Resize to constant sizes',
    dims: [1, 2, 4, 4],
    nodes: [{ op: 'Resize', inputs: ['x', '', '', 'sizes'], attributes: { mode: 'linear' } }],
    extend: constants({ sizes: [1, 2, 7, 9] }),
    output: [1, 2, 7, 9],
  },
  {
    name: 'a class token beside the patches',
    dims: [1, 4, 3],
    nodes: [
      { op: 'Concat', inputs: ['token', 'x'], attributes: { axis: 1 }, outputs: ['c'] },
      { op: 'ReduceMean', inputs: ['c', 'axes'], attributes: { keepdims: 0 } },
    ],
    extend: (builder) => {
      builder.initializer('token', tensorF32([1, 1, 3], [1, 2, 3]));
      builder.initializer('axes', tensorI64([1]));
    },
    output: [1, 3],
  },
];

const REFUSED: readonly Case[] = [
  {
    name: 'Softmax over the batch',
    dims: [1, 3],
    nodes: [{ op: 'Softmax', attributes: { axis: 0 } }],
    output: [1, 3],
  },
  { name: 'a mean over the batch', dims: [1, 3], nodes: [{ op: 'ReduceMean' }], output: [1, 1] },
  {
    name: 'a mean over the batch that broadcasts back',
    dims: [1, 3],
    nodes: [
      { op: 'ReduceMean', inputs: ['x', 'axes'], outputs: ['m'] },
      { op: 'Sub', inputs: ['x', 'm'] },
    ],
    extend: constants({ axes: [0] }),
    output: [1, 3],
  },
  {
    name: 'a copy joined along the batch',
    dims: [1, 3],
    nodes: [{ op: 'Concat', inputs: ['x', 'x'], attributes: { axis: 0 } }],
    output: [2, 3],
  },
  {
    name: 'one sample taken out',
    dims: [1, 3],
    nodes: [{ op: 'Gather', inputs: ['x', 'first'] }],
    extend: constants({ first: [0] }),
    output: [1, 3],
  },
  {
    name: 'a Reshape that lets go of the batch',
    dims: [1, 2, 3],
    nodes: [
      { op: 'Transpose', attributes: { perm: [1, 0, 2] }, outputs: ['t'] },
      { op: 'Reshape', inputs: ['t', 'target'] },
    ],
    extend: constants({ target: [3, 2] }),
    output: [3, 2],
  },
  {
    name: 'statistics of the batch',
    dims: [1, 2],
    nodes: [
      {
        op: 'BatchNormalization',
        inputs: ['x', 's', 's', 's', 's'],
        attributes: { training_mode: 1, momentum: float(0.5) },
        outputs: ['y', 'mean', 'variance'],
      },
    ],
    extend: (builder) => void builder.initializer('s', tensorF32([2], [1, 2])),
    output: [1, 2],
  },
];

const build = ({ dims, nodes, extend, output }: Case): Model =>
  modelOfNodes(18, dims, nodes, extend, { dims: output });

describe('rebatch', () => {
  it.each(FOLLOWS)('follows $name', async (given) => {
    const model = build(given);
    const batched = rebatch(model);
    expect(batched.graph.inputs[0].dims[0]).toBe('N');
    expect(batched.graph.outputs[0].dims[0]).toMatch(/N$/);
    await sameRows(model, batched);
  });

  it.each(REFUSED)('refuses $name and names the node', (given) => {
    const { op } = given.nodes.find(({ op }) => op !== 'Transpose')!;
    expect(() => rebatch(build(given))).toThrow(
      expect.objectContaining({ fault: 'unsupported', where: expect.stringContaining(`(${op})`) }),
    );
  });

  it('refuses outputs in which the rows of samples alternate', () => {
    const model = build({
      name: 'rows',
      dims: [1, 5, 6],
      nodes: [
        { op: 'Transpose', attributes: { perm: [1, 0, 2] }, outputs: ['t'] },
        { op: 'Reshape', inputs: ['t', 'rows'] },
      ],
      extend: constants({ rows: [5, 6] }),
      output: [5, 6],
    });
    expect(() => rebatch(model)).toThrow(/output 'y'.*do not stand together/);
  });

  it('follows dynamic quantisation, and mixesSamples tells of its one scale for all', () => {
    const nodes = [
      { op: 'DynamicQuantizeLinear', outputs: ['q', 'scale', 'zero'] },
      { op: 'DequantizeLinear', inputs: ['q', 'scale', 'zero'] },
    ];
    const dynamic = rebatch(build({ name: 'dynamic', dims: [1, 3], nodes, output: [1, 3] }));
    const plain = rebatch(build({ name: 'plain', dims: [1, 3], nodes: [{ op: 'Relu' }], output: [1, 3] }));
    expect(dynamic.graph.outputs[0].dims).toEqual(['N', 3]);
    const mixes = ({ graph }: Model): boolean => mixesSamples(graph, shapesAt(graph, 'open'));
    expect([mixes(dynamic), mixes(plain)]).toEqual([true, false]);
  });

  it('renames a batch that has a name, on inputs and outputs', () => {
    const { graph } = rebatch(modelOfNodes(18, ['b', 3], [{ op: 'Relu' }], undefined, { dims: ['b', 3] }));
    expect([graph.inputs[0].dims, graph.outputs[0].dims]).toEqual([
      ['N', 3],
      ['N', 3],
    ]);
  });

  it('refuses an open size that is not the batch, and an input without axes', () => {
    expect(() => rebatch(modelOfNodes(18, [1, 'width'], [{ op: 'Relu' }]))).toThrow(/axis 1 \('width'\)/);
    expect(() => rebatch(modelOfNodes(18, [], [{ op: 'Relu' }]))).toThrow(/no axis/);
  });
});

const cases = process.env['FACET_CASES'];
describe.skipIf(cases === undefined)('published models of FACET_CASES', () => {
  it('AntiSpoofing_bin_1.5_128.onnx, exported for one image, takes three', async () => {
    const path = join(cases!, 'published', 'AntiSpoofing_bin_1.5_128.onnx');
    const model = readModel(readFileSync(path));
    await sameRows(model, rebatch(raiseOpset(model)));
  });
});

/** Three batches through the model as it was, against all at once. */
async function sameRows(model: Model, batched: Model): Promise<void> {
  const dims = model.graph.inputs[0].dims as readonly number[];
  const size = dims.reduce((total, dim) => total * dim, 1);
  const images = noise(SAMPLES * size);
  const [one, all] = await Promise.all([model, batched].map((m) => InferenceSession.create(writeModel(m))));
  const compute = async (session: InferenceSession, data: Float32Array, batch: number): Promise<number[]> => {
    const feed = new OrtTensor('float32', data, [batch, ...dims.slice(1)]);
    const results = await session.run({ [session.inputNames[0]]: feed });
    return Array.from(results[session.outputNames[0]].data as Float32Array);
  };
  const rows: number[] = [];
  for (let i = 0; i < SAMPLES; i++)
    rows.push(...(await compute(one, images.slice(i * size, (i + 1) * size), dims[0])));
  const together = await compute(all, images, SAMPLES * dims[0]);
  expect(together).toHaveLength(rows.length);
  together.forEach((value, index) => expect(Math.abs(value - rows[index])).toBeLessThan(1e-5));
  await Promise.all([one.release(), all.release()]);
}

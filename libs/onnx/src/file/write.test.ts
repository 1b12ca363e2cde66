import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf } from '../builder.js';
import type { AttributeValue, ElementType, Model, Tensor, TensorData } from '../graph.js';
import { ModelProtoSchema } from './generated/onnx_pb.js';
import { node, spoiled, type File } from './proto.fixture.js';
import { readModel } from './read.js';
import { run } from './runtime.fixture.js';
import { bare } from './bare.js';
import { writeModel } from './write.js';

const ARRAYS: Readonly<Record<Exclude<ElementType, 'string'>, new (bytes: ArrayBuffer) => TensorData>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Any bits that are a finite number of the type. */
const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[])),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
  )
  .map(([type, dims, bytes]) => {
    const count = dims.reduce((total, dim) => total * dim, 1);
    const size = new ARRAYS[type](new ArrayBuffer(8)).BYTES_PER_ELEMENT;
    const raw = Uint8Array.from({ length: count * size }, () => bytes.next().value ?? 0);
    for (let i = 0; i < raw.length; i++) {
      if (type === 'bool') raw[i] &= 1;
      // The exponent is never all ones.
      else if (i % size === size - 1 && type.includes('float')) raw[i] &= 0xbf;
    }
    return { type, dims, data: new ARRAYS[type](raw.buffer) };
  });

const attributes: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.record({
    kind: fc.constant('int' as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ kind: fc.constant('float' as const), value: fc.float({ noNaN: true }) }),
  fc.record({ kind: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: fc.constant('tensor' as const), value: tensors }),
  fc.record({
    kind: fc.constant('ints' as const),
    value: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  }),
  fc.record({ kind: fc.constant('floats' as const), value: fc.array(fc.float({ noNaN: true })) }),
  fc.record({ kind: fc.constant('strings' as const), value: fc.array(fc.string({ unit: 'grapheme' })) }),
);

const models: fc.Arbitrary<Model> = fc
  .record({
    weights: fc.array(tensors, { maxLength: 4 }),
    nodes: fc.array(
      fc.record({
        attributes: fc.dictionary(fc.string({ minLength: 1 }), attributes, { maxKeys: 3 }),
        reads: fc.array(fc.nat(), { maxLength: 3 }),
        outputs: fc.integer({ min: 1, max: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    dims: fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.string({ minLength: 1 })), { maxLength: 4 }),
    metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  })
  .map(({ weights, nodes, dims, metadata }) => {
    const builder = new GraphBuilder();
    const names = [builder.input('x', 'float32', dims), ''];
    for (const tensor of weights) names.push(builder.initializer('weight', tensor));
    for (const { attributes, reads, outputs } of nodes) {
      const inputs = reads.map((index) => names[index % names.length]);
      const given = Array.from({ length: outputs }, () => builder.fresh('value'));
      names.push(...builder.nodes('Custom', inputs, attributes, given));
    }
    builder.output(names.at(-1)!, 'float32', dims);
    return modelOf(builder.build('graph'), new Map(Object.entries(metadata)));
  });

describe('writeModel', () => {
  it('is undone by readModel, for every model', () => {
    fc.assert(
      fc.property(models, (model) => {
        expect(readModel(writeModel(model))).toEqual(model);
      }),
    );
  });

  it('writes the same bytes for the same model', () => {
    fc.assert(
      fc.property(models, (model) => {
        const bytes = writeModel(model);
        expect(Buffer.compare(writeModel(readModel(bytes)), bytes)).toBe(0);
      }),
    );
  });

  it('writes floats beyond single precision as infinite', () => {
    const model = readModel(spoiled(() => undefined));
    const [first, ...rest] = model.graph.nodes;
    const attributes = {
      alpha: { kind: 'float', value: 1e50 },
      scales: { kind: 'floats', value: [1, -1e50] },
    } as const;
    const graph = { ...model.graph, nodes: [{ ...first, attributes }, ...rest] };
    expect(readModel(writeModel({ ...model, graph })).graph.nodes[0].attributes).toEqual({
      alpha: { kind: 'float', value: Infinity },
      scales: { kind: 'floats', value: [1, -Infinity] },
    });
  });

  it('makes files that ONNX Runtime runs', async () => {
    const model = readModel(
      spoiled((file) => {
        file.graph.node[2].attribute = [];
      }),
    );
    const [a, b] = await run(model, [1, 2]);
    expect(a).toBeGreaterThanOrEqual(0);
    expect(b).toBeGreaterThanOrEqual(0);
  });
});

describe('what the view does not show', () => {
  /** A field that no version of the format has. */
  const unknown = {
    no: 1000,
    wireType: WireType.LengthDelimited,
    data: new BinaryWriter().string('new').finish(),
  };
  const bytes = spoiled((file: File) => {
    Object.assign(file, {
      docString: 'a model',
      producerVersion: '7',
      modelVersion: 3n,
      $unknown: [unknown],
    });
    Object.assign(file.graph, { docString: 'a graph', $unknown: [unknown] });
    for (const message of [...file.graph.node, file.graph.node[2].attribute[0], file.graph.initializer[0]])
      Object.assign(message, { docString: 'a part', $unknown: [unknown] });
    file.graph.node[0].metadataProps = [{ $typeName: 'onnx.StringStringEntryProto', key: 'k', value: 'v' }];
    Object.assign(file.graph.input[0], { docString: 'an input', $unknown: [unknown] });
  });

  it('is written back where nothing was replaced', () => {
    const given = fromBinary(ModelProtoSchema, bytes);
    // Constants are the one thing that is written differently.
    Object.assign(given.graph!.initializer[0], {
      floatData: [],
      rawData: new Uint8Array(Float32Array.of(1.5, -2.5).buffer),
    });
    const tensor = given.graph!.node[2].attribute[3].t!;
    Object.assign(tensor, { int64Data: [], rawData: new Uint8Array(BigInt64Array.of(2n ** 40n).buffer) });
    const written = writeModel(readModel(bytes));
    expect(Buffer.compare(written, toBinary(ModelProtoSchema, given))).toBe(0);
    expect(Buffer.from(written).toString('latin1').split('new')).toHaveLength(9);
  });

  it('stays with the nodes that a transform keeps, and goes with those that it replaces', () => {
    const model = readModel(bytes);
    const [first, ...rest] = model.graph.nodes;
    const graph = { ...model.graph, nodes: [{ ...first, op: 'Sub' }, ...rest] };
    const written = fromBinary(ModelProtoSchema, writeModel({ ...model, graph }));
    expect(written.graph!.node.map(({ docString }) => docString)).toEqual(['', 'a part', 'a part']);
    expect(written.graph!.node[1].$unknown).toEqual([unknown]);
    expect(written.docString).toBe('');
  });

  it('is left out of what a runtime gets to see', () => {
    const model = readModel(bytes);
    const written = writeModel(bare(model));
    const text = Buffer.from(written).toString('latin1');
    for (const said of ['new', 'a model', 'a graph', 'a part', 'an input', 'purpose'])
      expect(text).not.toContain(said);
    expect(readModel(written)).toEqual({ ...model, producer: '', metadata: new Map() });
  });

  it('is not kept where it could contradict the view', () => {
    const written = fromBinary(
      ModelProtoSchema,
      writeModel(
        readModel(
          spoiled((file) => {
            file.graph.node[2].attribute[1].floats = [1, 2, 3];
            file.graph.valueInfo = [file.graph.input[0]];
            file.graph.node.push(
              node({
                opType: 'Constant',
                output: ['c'],
                attribute: [{ name: 'value_int', type: 2, i: 1n }],
              }),
            );
          }),
        ),
      ),
    );
    expect(written.graph!.node[2].attribute[1].floats).toEqual([]);
    expect(written.graph!.valueInfo).toEqual([]);
  });

  it('states the shapes that a graph is given to state', () => {
    const model = readModel(bytes);
    const [stated] = model.graph.outputs;
    const { graph } = fromBinary(
      ModelProtoSchema,
      writeModel(bare({ ...model, graph: { ...model.graph, stated: [stated] } })),
    );
    expect(graph!.valueInfo.map(({ name }) => name)).toEqual([stated.name]);
  });
});

const cases = process.env['FACET_CASES'];
describe.skipIf(cases === undefined)('published models of FACET_CASES', () => {
  it.each(['AntiSpoofing_bin_1.5_128.onnx', 'minifas.onnx', 'minifas_int8.onnx'])(
    '%s comes back as it was read, and computes the same',
    async (name) => {
      const file = readFileSync(join(cases!, 'published', name));
      const model = readModel(file);
      const bytes = writeModel(model);
      const again = readModel(bytes);
      expect(again.graph.nodes).toEqual(model.graph.nodes);
      for (const [weight, { data }] of model.graph.initializers)
        expect(
          Buffer.compare(
            Buffer.from(again.graph.initializers.get(weight)!.data.buffer),
            Buffer.from(data.buffer),
          ),
        ).toBe(0);
      const dims = [1, 3, 128, 128];
      expect(await run(bytes, dims)).toEqual(await run(file, dims));
    },
  );
});

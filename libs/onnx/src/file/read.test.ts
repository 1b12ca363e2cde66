import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ModelError, type ModelFault } from '../errors.js';
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  TrainingInfoProtoSchema,
  TypeProtoSchema,
} from './generated/onnx_pb.js';
import { DEFAULT_FILE_LIMITS, type FileLimits } from './limits.js';
import { attribute, node, spoiled, tensor, type File } from './proto.fixture.js';
import { readModel } from './read.js';

const external = () =>
  tensor({
    name: 'secret',
    dataType: 1,
    dims: [1n],
    externalData: [{ key: 'location', value: 'weights.bin' }],
    dataLocation: 1,
  });
const subgraph = () => create(GraphProtoSchema, { name: 'inner', initializer: [external()] });
const opset = (domain: string, version: bigint) => create(OperatorSetIdProtoSchema, { domain, version });
const first = (file: File) => file.graph.node[0];
const weight = (file: File) => file.graph.initializer[0];

interface Refusal {
  readonly name: string;
  readonly change: (file: File) => void;
  readonly fault: ModelFault;
  readonly where: string | RegExp;
  readonly says?: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  // Other files, wherever they are named.
  ...(
    [
      ['an initializer', (file) => file.graph.initializer.push(external()), "tensor 'secret'"],
      [
        'an attribute',
        (file) => first(file).attribute.push(attribute({ name: 'v', type: 4, t: external() })),
        "tensor 'secret'",
      ],
      [
        'an attribute that is not in use',
        (file) => first(file).attribute.push(attribute({ name: 'v', type: 2, tensors: [external()] })),
        "tensor 'secret'",
      ],
      [
        'a sparse initializer',
        (file) => file.graph.sparseInitializer.push(create(SparseTensorProtoSchema, { values: external() })),
        "tensor 'secret'",
      ],
      [
        'a sparse attribute',
        (file) =>
          first(file).attribute.push(
            attribute({ name: 'v', type: 11, sparseTensor: { indices: external() } }),
          ),
        "tensor 'secret'",
      ],
      [
        'a subgraph',
        (file) => first(file).attribute.push(attribute({ name: 'body', type: 5, g: subgraph() })),
        "tensor 'secret'",
      ],
      [
        'a function',
        (file) =>
          file.functions.push(
            create(FunctionProtoSchema, {
              node: [{ opType: 'Constant', attribute: [{ name: 'value', t: external() }] }],
            }),
          ),
        "tensor 'secret'",
      ],
      [
        'training information',
        (file) => file.trainingInfo.push(create(TrainingInfoProtoSchema, { algorithm: subgraph() })),
        "tensor 'secret'",
      ],
      [
        'a tensor without a name',
        (file) => {
          const hidden = { ...external(), name: '' };
          first(file).attribute.push(attribute({ name: 'v', type: 4, t: hidden }));
        },
        "node 'sum' (Add)",
      ],
      ['a location without a path', (file) => void (weight(file).dataLocation = 1), "tensor 'w'"],
    ] as readonly [string, Refusal['change'], string][]
  ).map(([name, change, where]) => ({
    name: `external data in ${name}`,
    change,
    where,
    fault: 'forbidden' as const,
    says: /another file/,
  })),
  // Code of the model's own.
  ...['If', 'Loop', 'Scan', 'SequenceMap'].map((op) => ({
    name: op,
    change: (file: File) => void (first(file).opType = op),
    fault: 'forbidden' as const,
    where: `node 'sum' (${op})`,
    says: /control flow/,
  })),
  ...['SequenceConstruct', 'SequenceAt', 'SplitToSequence', 'ConcatFromSequence', 'Optional'].map((op) => ({
    name: op,
    change: (file: File) => void (first(file).opType = op),
    fault: 'forbidden' as const,
    where: `node 'sum' (${op})`,
  })),
  {
    name: 'a subgraph of any operator',
    change: (file) => first(file).attribute.push(attribute({ name: 'body', type: 5, g: {} })),
    fault: 'forbidden',
    where: "node 'sum' (Add)",
    says: /'body' holds a graph/,
  },
  {
    name: 'a local function',
    change: (file) => file.functions.push(create(FunctionProtoSchema, { name: 'mine' })),
    fault: 'forbidden',
    where: "function 'mine'",
  },
  {
    name: 'training information',
    change: (file) => file.trainingInfo.push(create(TrainingInfoProtoSchema)),
    fault: 'forbidden',
    where: 'training_info',
  },
  {
    name: 'an unknown domain',
    change: (file) => void (first(file).domain = 'com.example'),
    fault: 'forbidden',
    where: "node 'sum' (Add)",
    says: /'com.example'/,
  },
  {
    name: "an operator that ONNX Runtime's domain does not have",
    change: (file) => void (first(file).domain = 'com.microsoft'),
    fault: 'forbidden',
    where: "node 'sum' (Add)",
  },
  // Contradictions.
  {
    name: 'a domain without a version',
    change: (file) => Object.assign(first(file), { domain: 'com.microsoft', opType: 'FusedMatMul' }),
    fault: 'invalid',
    where: "node 'sum' (FusedMatMul)",
  },
  {
    name: 'no operator set',
    change: (file) => void (file.opsetImport = []),
    fault: 'invalid',
    where: 'opset_import',
  },
  {
    name: 'one operator set twice',
    change: (file) => file.opsetImport.push(opset('ai.onnx', 13n)),
    fault: 'invalid',
    where: 'opset_import',
  },
  {
    name: 'an operator set of the future',
    change: (file) => void (file.opsetImport = [opset('', 1000n)]),
    fault: 'unsupported',
    where: 'opset_import',
  },
  {
    name: 'an old format',
    change: (file) => void (file.irVersion = 2n),
    fault: 'unsupported',
    where: 'ir_version',
  },
  {
    name: 'a format of no time',
    change: (file) => void (file.irVersion = 2n ** 63n - 1n),
    fault: 'invalid',
    where: 'ir_version',
  },
  {
    name: "a version of ONNX Runtime's operators that there never was",
    change: (file) => {
      Object.assign(first(file), { domain: 'com.microsoft', opType: 'FusedMatMul' });
      file.opsetImport.push(opset('com.microsoft', 2n ** 62n));
    },
    fault: 'invalid',
    where: 'opset_import',
  },
  {
    name: 'no graph',
    change: (file) => Object.assign(file, { graph: undefined }),
    fault: 'malformed',
    where: 'graph',
  },
  { name: 'no inputs', change: (file) => void (file.graph.input = []), fault: 'invalid', where: 'graph' },
  { name: 'no outputs', change: (file) => void (file.graph.output = []), fault: 'invalid', where: 'graph' },
  {
    name: 'a cycle, named by a node on it',
    change: (file) => {
      file.graph.node[0].input = ['b', 'w'];
    },
    fault: 'invalid',
    where: /node '(sum|relu)'/,
    says: /its own output/,
  },
  {
    name: 'a node that reads itself',
    change: (file) => void (file.graph.node[1].input = ['b']),
    fault: 'invalid',
    where: "node 'relu' (Relu)",
  },
  {
    name: 'an input that nothing computes',
    change: (file) => void (file.graph.node[1].input = ['nothing']),
    fault: 'invalid',
    where: "node 'relu' (Relu)",
    says: /'nothing'/,
  },
  {
    name: 'an output that nothing computes',
    change: (file) => void (file.graph.output[0].name = 'nothing'),
    fault: 'invalid',
    where: "output 'nothing'",
  },
  ...['a', 'x', 'w'].map((name) => ({
    name: `'${name}' defined a second time by a node`,
    change: (file: File) => void (file.graph.node[2].output = [name]),
    fault: 'invalid' as const,
    where: "node 'last' (Identity)",
  })),
  {
    name: 'a constant under the name of a node output',
    change: (file) =>
      file.graph.node.push(
        node({
          opType: 'Constant',
          output: ['a'],
          attribute: [{ name: 'value_int', type: 2, i: 1n }],
        }),
      ),
    fault: 'invalid',
    where: "node 'sum' (Add)",
  },
  {
    name: 'two initializers of one name',
    change: (file) => file.graph.initializer.push(weight(file)),
    fault: 'invalid',
    where: "initializer 'w'",
  },
  {
    name: 'two inputs of one name',
    change: (file) => file.graph.input.push(file.graph.input[0]),
    fault: 'invalid',
    where: "input 'x'",
  },
  {
    name: 'two outputs of one name',
    change: (file) => file.graph.output.push(file.graph.output[0]),
    fault: 'invalid',
    where: "output 'y'",
  },
  {
    name: 'an attribute twice',
    change: (file) => file.graph.node[2].attribute.push(attribute({ name: 'i', type: 2 })),
    fault: 'invalid',
    where: "node 'last' (Identity)",
  },
  {
    name: "a function's attribute",
    change: (file) => first(file).attribute.push(attribute({ name: 'i', type: 2, refAttrName: 'j' })),
    fault: 'invalid',
    where: "node 'sum' (Add)",
  },
  {
    name: 'an attribute of a future kind',
    change: (file) => first(file).attribute.push(attribute({ name: 'i', type: 99 })),
    fault: 'unsupported',
    where: "node 'sum' (Add)",
  },
  {
    name: 'a node without outputs',
    change: (file) => void (first(file).output = ['']),
    fault: 'invalid',
    where: "node 'sum' (Add)",
  },
  // Weights.
  {
    name: 'fewer bytes than dims say',
    change: (file) => Object.assign(weight(file), { floatData: [], rawData: new Uint8Array(7) }),
    fault: 'invalid',
    where: "initializer 'w'",
    says: /7 bytes .* need 8/,
  },
  {
    name: 'fewer elements than dims say',
    change: (file) => void (weight(file).dims = [3n]),
    fault: 'invalid',
    where: "initializer 'w'",
    says: /2 elements .* need 3/,
  },
  {
    name: 'an axis of 2^40',
    change: (file) => void (weight(file).dims = [2n ** 40n]),
    fault: 'limit',
    where: "initializer 'w'",
  },
  {
    name: 'an axis of 2^40 beside one of 0',
    change: (file) => void (weight(file).dims = [0n, 2n ** 40n]),
    fault: 'limit',
    where: "initializer 'w'",
  },
  {
    name: 'dims whose product overflows',
    change: (file) => void (weight(file).dims = Array.from({ length: 8 }, () => 2n ** 16n)),
    fault: 'limit',
    where: "initializer 'w'",
  },
  {
    name: 'a negative axis',
    change: (file) => void (weight(file).dims = [-2n]),
    fault: 'invalid',
    where: "initializer 'w'",
  },
  ...[Number.NaN, Infinity, -Infinity].map((value) => ({
    name: `a weight of ${value}`,
    change: (file: File) => void (weight(file).floatData = [1, value]),
    fault: 'invalid' as const,
    where: "initializer 'w'",
    says: /element 1 is not a finite number/,
  })),
  {
    name: 'a number beyond its element type',
    change: (file) => Object.assign(weight(file), { dataType: 2, floatData: [], int32Data: [1, 256] }),
    fault: 'invalid',
    where: "initializer 'w'",
  },
  {
    name: 'a bool of 2',
    change: (file) =>
      Object.assign(weight(file), { dataType: 9, floatData: [], rawData: Uint8Array.of(1, 2) }),
    fault: 'invalid',
    where: "initializer 'w'",
  },
  {
    name: 'strings',
    change: (file) => void (weight(file).dataType = 8),
    fault: 'unsupported',
    where: "initializer 'w'",
  },
  {
    name: 'an element type of eight bits',
    change: (file) => void (weight(file).dataType = 17),
    fault: 'unsupported',
    where: "initializer 'w'",
    says: /17/,
  },
  {
    name: 'sparse weights',
    change: (file) =>
      file.graph.sparseInitializer.push(create(SparseTensorProtoSchema, { values: { name: 's' } })),
    fault: 'unsupported',
    where: "initializer 's'",
  },
  // Inputs and outputs.
  {
    name: 'a sequence as input',
    change: (file) =>
      void (file.graph.input[0].type = create(TypeProtoSchema, {
        value: { case: 'sequenceType', value: {} },
      })),
    fault: 'unsupported',
    where: "input 'x'",
  },
  {
    name: 'an output without a shape',
    change: (file) =>
      void (file.graph.output[0].type = create(TypeProtoSchema, {
        value: { case: 'tensorType', value: { elemType: 1 } },
      })),
    fault: 'unsupported',
    where: "output 'y'",
  },
];

describe('readModel', () => {
  it('reads a valid file', () => {
    const { graph, ...model } = readModel(spoiled(() => undefined));
    expect(model).toEqual({
      irVersion: 8,
      opset: 18,
      domains: new Map(),
      producer: 'test',
      metadata: new Map([['purpose', 'a test']]),
    });
    expect(graph.inputs).toEqual([{ name: 'x', type: 'float32', dims: [1, 2] }]);
    expect(graph.initializers.get('w')).toEqual({
      type: 'float32',
      dims: [2],
      data: Float32Array.of(1.5, -2.5),
    });
    expect(graph.nodes[2].attributes).toEqual({
      f: { kind: 'float', value: 0.25 },
      i: { kind: 'int', value: -3n },
      s: { kind: 'string', value: 'grün' },
      t: { kind: 'tensor', value: { type: 'int64', dims: [1], data: BigInt64Array.of(2n ** 40n) } },
      floats: { kind: 'floats', value: [0.5, 1] },
      ints: { kind: 'ints', value: [1n, -1n] },
      strings: { kind: 'strings', value: ['a'] },
    });
  });

  it.each(REFUSALS)('refuses $name', ({ change, fault, where, says }) => {
    const refusal = refusalOf(spoiled(change));
    expect(refusal.fault).toBe(fault);
    expect(refusal.where).toMatch(where);
    if (says) expect(refusal.message).toMatch(says);
  });

  const LIMITS: readonly (readonly [keyof FileLimits, number])[] = [
    ['bytes', 100],
    ['records', 20],
    ['numbers', 0],
    ['nesting', 4],
    ['nodes', 2],
    ['initializers', 0],
    ['elementsPerTensor', 1],
    ['axes', 0],
  ];
  it.each(LIMITS)('refuses more %s than %d', (limit, most) => {
    const bytes = spoiled(() => undefined);
    expect(refusalOf(bytes, { ...DEFAULT_FILE_LIMITS, [limit]: most }).fault).toBe('limit');
  });

  it('refuses nesting as deep as the file is long, before it can exhaust the stack', () => {
    let inner = create(GraphProtoSchema);
    for (let depth = 0; depth < 500; depth++)
      inner = create(GraphProtoSchema, { node: [{ attribute: [{ name: 'body', g: inner }] }] });
    const bytes = spoiled((file) => first(file).attribute.push(attribute({ name: 'b', type: 5, g: inner })));
    expect(refusalOf(bytes)).toMatchObject({ fault: 'limit', message: expect.stringContaining('nest') });
  });

  it('sorts nodes, and keeps an order that is one', () => {
    const sorted = readModel(spoiled(() => undefined)).graph.nodes.map(({ name }) => name);
    const reversed = readModel(spoiled((file) => void file.graph.node.reverse()));
    expect(reversed.graph.nodes.map(({ name }) => name)).toEqual(sorted);
  });

  it('names nodes without a name, or with that of another', () => {
    const names = readModel(
      spoiled((file) => {
        file.graph.node[0].name = '';
        file.graph.node[2].name = 'relu';
      }),
    ).graph.nodes.map(({ name }) => name);
    expect(names).toEqual(['a/Add', 'relu', 'relu_1']);
  });

  it('makes initializers of constants, whatever they are written as', () => {
    const constant = (name: string, init: Parameters<typeof attribute>[0]) =>
      node({ opType: 'Constant', output: [name], attribute: [attribute(init)] });
    const { graph } = readModel(
      spoiled((file) =>
        file.graph.node.push(
          constant('t', { name: 'value', type: 4, t: { dataType: 9, int32Data: [1] } }),
          constant('f', { name: 'value_float', type: 1, f: 0.5 }),
          constant('fs', { name: 'value_floats', type: 6, floats: [1, 2] }),
          constant('i', { name: 'value_int', type: 2, i: 7n }),
          constant('is', { name: 'value_ints', type: 7, ints: [8n] }),
        ),
      ),
    );
    expect(graph.nodes).toHaveLength(3);
    expect([...graph.initializers].slice(1)).toEqual([
      ['t', { type: 'bool', dims: [], data: Uint8Array.of(1) }],
      ['f', { type: 'float32', dims: [], data: Float32Array.of(0.5) }],
      ['fs', { type: 'float32', dims: [2], data: Float32Array.of(1, 2) }],
      ['i', { type: 'int64', dims: [], data: BigInt64Array.of(7n) }],
      ['is', { type: 'int64', dims: [1], data: BigInt64Array.of(8n) }],
    ]);
  });

  it('drops inputs that initializers override, and operator sets that no node uses', () => {
    const model = readModel(
      spoiled((file) => {
        file.irVersion = 3n;
        file.graph.input.push({ ...file.graph.input[0], name: 'w' });
        file.opsetImport.push(opset('com.example', 1n));
      }),
    );
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(model.domains).toEqual(new Map());
    expect(model.irVersion).toBe(4);
  });

  it('takes the standard by its long name, and operators of ONNX Runtime', () => {
    const model = readModel(
      spoiled((file) => {
        file.opsetImport = [opset('ai.onnx', 17n), opset('com.microsoft', 1n)];
        first(file).domain = 'ai.onnx';
        Object.assign(file.graph.node[1], { domain: 'com.microsoft', opType: 'QuickGelu' });
      }),
    );
    expect(model).toMatchObject({ opset: 17, domains: new Map([['com.microsoft', 1]]) });
    expect(model.graph.nodes.map(({ domain }) => domain)).toEqual(['', 'com.microsoft', '']);
  });

  it('names sizes that the file does not know', () => {
    const { graph } = readModel(
      spoiled((file) => {
        const type = file.graph.input[0].type?.value;
        if (type?.case !== 'tensorType') throw new Error('the fixture has a tensor');
        const [batch, width] = type.value.shape!.dim;
        batch.value = { case: 'dimParam', value: 'batch' };
        width.value = { case: 'dimValue', value: -1n };
      }),
    );
    expect(graph.inputs[0].dims).toEqual(['batch', 'x.1']);
  });

  it('lets infinity stand alone, as masks and bounds do', () => {
    const { graph } = readModel(
      spoiled((file) => Object.assign(weight(file), { dims: [], floatData: [-Infinity] })),
    );
    expect(graph.initializers.get('w')?.data[0]).toBe(-Infinity);
  });

  it('cuts names that would fill a log', () => {
    const refusal = refusalOf(spoiled((file) => void (file.graph.node[1].input = ['n'.repeat(10_000)])));
    expect(refusal.message.length).toBeLessThan(400);
  });

  it('keeps nothing of the bytes that it was given', () => {
    const bytes = spoiled((file) =>
      Object.assign(weight(file), { floatData: [], rawData: new Uint8Array(Float32Array.of(3, 4).buffer) }),
    );
    const model = readModel(bytes);
    bytes.fill(0);
    expect(model.graph.initializers.get('w')?.data).toEqual(Float32Array.of(3, 4));
  });

  it('is untouched by names that JavaScript knows', () => {
    const { graph } = readModel(
      spoiled((file) => {
        file.graph.node[2].attribute = [attribute({ name: '__proto__', type: 2, i: 1n })];
        file.graph.node[1].name = 'constructor';
      }),
    );
    expect(Object.entries(graph.nodes[2].attributes)).toEqual([['__proto__', { kind: 'int', value: 1n }]]);
  });
});

function refusalOf(bytes: Uint8Array, limits?: FileLimits): ModelError {
  try {
    readModel(bytes, limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

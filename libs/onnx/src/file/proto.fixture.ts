/** A small valid file, message by message, for tests to spoil. */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from './generated/onnx_pb.js';

export const node = (init: MessageInitShape<typeof NodeProtoSchema>): NodeProto =>
  create(NodeProtoSchema, init);
export const attribute = (init: MessageInitShape<typeof AttributeProtoSchema>): AttributeProto =>
  create(AttributeProtoSchema, init);
export const tensor = (init: MessageInitShape<typeof TensorProtoSchema>): TensorProto =>
  create(TensorProtoSchema, init);

const value = (name: string) => ({
  name,
  type: {
    value: {
      case: 'tensorType' as const,
      value: {
        elemType: 1,
        shape: { dim: [1n, 2n].map((size) => ({ value: { case: 'dimValue' as const, value: size } })) },
      },
    },
  },
});

/** y = Relu(x + w), in three nodes, with an attribute of each kind on the last one. */
export function validFile(): ModelProto & { graph: NonNullable<ModelProto['graph']> } {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 18n }],
    metadataProps: [{ key: 'purpose', value: 'a test' }],
    graph: {
      name: 'graph',
      input: [value('x')],
      output: [value('y')],
      initializer: [{ name: 'w', dataType: 1, dims: [2n], floatData: [1.5, -2.5] }],
      node: [
        { name: 'sum', opType: 'Add', input: ['x', 'w'], output: ['a'] },
        { name: 'relu', opType: 'Relu', input: ['a'], output: ['b'] },
        {
          name: 'last',
          opType: 'Identity',
          input: ['b'],
          output: ['y'],
          attribute: [
            { name: 'f', type: 1, f: 0.25 },
            { name: 'i', type: 2, i: -3n },
            { name: 's', type: 3, s: new TextEncoder().encode('grün') },
            { name: 't', type: 4, t: { dataType: 7, dims: [1n], int64Data: [2n ** 40n] } },
            { name: 'floats', type: 6, floats: [0.5, 1] },
            { name: 'ints', type: 7, ints: [1n, -1n] },
            { name: 'strings', type: 8, strings: [new TextEncoder().encode('a')] },
          ],
        },
      ],
    },
  });
  return model as ModelProto & { graph: NonNullable<ModelProto['graph']> };
}

export type File = ReturnType<typeof validFile>;

/** The bytes of the valid file after a change. */
export function spoiled(change: (file: File) => void): Uint8Array {
  const file = validFile();
  change(file);
  return toBinary(ModelProtoSchema, file);
}

/** From the plain view to a file's bytes: the same bytes for the same model, whatever it was read from. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Graph, Model, Node } from '../graph.js';
import { writeAttribute } from './attribute.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type GraphProto,
  type NodeProto,
} from './generated/onnx_pb.js';
import { putBack } from './rest.js';
import { writeTensor } from './tensor.js';
import { writeValue } from './values.js';

/**
 * Writes an ONNX file. Constants become raw bytes; documentation, metadata and unknown fields of whatever
 * stands in the model as it was read are written back. `readModel` of the result equals the model, float
 * attributes in single precision.
 */
export const writeModel = (model: Model): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    putBack(
      create(ModelProtoSchema, {
        irVersion: BigInt(model.irVersion),
        producerName: model.producer,
        opsetImport: [['', model.opset] as const, ...model.domains].map(([domain, version]) =>
          create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
        ),
        metadataProps: [...model.metadata].map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value }),
        ),
        graph: writeGraph(model.graph),
      }),
      model,
    ),
  );

const writeGraph = (graph: Graph): GraphProto =>
  putBack(
    create(GraphProtoSchema, {
      name: graph.name,
      node: graph.nodes.map(writeNode),
      initializer: [...graph.initializers].map(([name, tensor]) => writeTensor(tensor, name)),
      input: graph.inputs.map(writeValue),
      output: graph.outputs.map(writeValue),
      valueInfo: graph.stated?.map(writeValue) ?? [],
    }),
    graph,
  );

const writeNode = (node: Node): NodeProto =>
  putBack(
    create(NodeProtoSchema, {
      name: node.name,
      opType: node.op,
      ...(node.domain !== '' && { domain: node.domain }),
      input: [...node.inputs],
      output: [...node.outputs],
      attribute: Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value)),
    }),
    node,
  );

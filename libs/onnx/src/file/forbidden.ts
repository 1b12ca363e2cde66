/**
 * What is refused on principle, wherever in the file it stands, before anything is interpreted: other files,
 * code of the model's own, control flow, operators of unknown domains. ONNX Runtime reads external data
 * relative to the working directory when a model comes from memory, so not even an unused one may pass.
 */
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { ModelError } from '../errors.js';
import { DOMAIN_OPERATORS, SEQUENCE_OPERATORS, SUBGRAPH_OPERATORS } from './domains.js';
import {
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from './generated/onnx_pb.js';
import { named, nodeAt, quoted } from './where.js';

/** @throws ModelError 'forbidden' naming the node, tensor or field. */
export function refuseForbidden(model: ModelProto, graph: GraphProto): void {
  refuseExternalData(ModelProtoSchema, model, 'model');
  if (model.functions.length > 0)
    throw new ModelError(
      'forbidden',
      'local functions are refused; inline them when exporting',
      named('function', model.functions[0].name),
    );
  if (model.trainingInfo.length > 0)
    throw new ModelError(
      'forbidden',
      'training information is refused; export for inference',
      'training_info',
    );
  graph.node.forEach(refuseNode);
}

function refuseNode(node: NodeProto): void {
  const fail = (message: string): never => {
    throw new ModelError('forbidden', message, nodeAt(node));
  };
  const domain = node.domain === 'ai.onnx' ? '' : node.domain;
  const operators = DOMAIN_OPERATORS.get(domain);
  if (domain !== '' && operators === undefined)
    fail(`operators of the domain ${quoted(domain)} are refused; export with standard operators`);
  if (operators !== undefined && !operators.has(node.opType)) fail(`is no known operator of ${domain}`);
  if (domain === '' && SUBGRAPH_OPERATORS.has(node.opType))
    fail('control flow is refused; export with fixed sizes, so that it unrolls');
  if (domain === '' && SEQUENCE_OPERATORS.has(node.opType)) fail('sequences and optionals are refused');
  const nested = node.attribute.find(
    ({ g, graphs, type }) => g || graphs.length > 0 || type === 5 || type === 10,
  );
  if (nested !== undefined) fail(`attribute ${quoted(nested.name)} holds a graph`);
}

/** Visits every tensor of the message: initializers, attributes, sparse ones, subgraphs, functions, training. */
function refuseExternalData(desc: DescMessage, message: Message, around: string): void {
  const where =
    desc === NodeProtoSchema
      ? nodeAt(message as NodeProto)
      : desc === TensorProtoSchema && (message as TensorProto).name !== ''
        ? named('tensor', (message as TensorProto).name)
        : around;
  if (desc === TensorProtoSchema) {
    const { externalData, dataLocation } = message as TensorProto;
    if (externalData.length > 0 || dataLocation !== 0)
      throw new ModelError('forbidden', 'keeps its data in another file; save the model as one file', where);
    return;
  }
  if (desc === ValueInfoProtoSchema) return;
  for (const field of desc.fields) {
    if (!field.message) continue;
    const value = (message as unknown as Record<string, unknown>)[field.localName];
    if (Array.isArray(value))
      for (const item of value) refuseExternalData(field.message, item as Message, where);
    else if (value !== undefined) refuseExternalData(field.message, value as Message, where);
  }
}

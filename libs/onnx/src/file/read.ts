/**
 * From a file's bytes to the plain view, refusing everything that can be refused before shapes are known.
 * What comes out is sorted, has one definition per name, holds no Constant nodes and no data from elsewhere.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '../errors.js';
import type { Graph, Model, Node, Tensor } from '../graph.js';
import { readAttributes } from './attribute.js';
import { constantOf } from './constant.js';
import { refuseForbidden } from './forbidden.js';
import {
  ModelProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type OperatorSetIdProto,
  type StringStringEntryProto,
} from './generated/onnx_pb.js';
import { DEFAULT_FILE_LIMITS, type FileLimits } from './limits.js';
import { keepGraph, keepModel, keepNode } from './rest.js';
import { scan } from './scan.js';
import { readTensor } from './tensor.js';
import { nodeNames, requireDefined, sortNodes } from './topology.js';
import { readValue } from './values.js';
import { named, nodeAt, quoted } from './where.js';

/** The first version in which initializers need not stand among the inputs; here they never do. */
const LEAST_IR_VERSION = 4;
/** The first version with an operator set to import. */
const OLDEST_IR_VERSION = 3;
/** What ONNX Runtime does not know yet it refuses itself; larger numbers than these are no versions of anything. */
const LARGEST_VERSION = 1000;
/** The newest operator set of the standard that ONNX Runtime runs. */
const NEWEST_OPSET = 26;

/**
 * Reads an ONNX file. Float attributes are in single precision; inputs that initializers override are gone;
 * operator sets that no node uses are too.
 *
 * @throws ModelError, and nothing else, whatever the bytes are: 'malformed', 'limit', 'forbidden', 'invalid'
 *   or 'unsupported', naming the node, tensor or field.
 */
export function readModel(bytes: Uint8Array, limits: FileLimits = DEFAULT_FILE_LIMITS): Model {
  const proto = parse(bytes, limits);
  if (proto.graph === undefined)
    throw new ModelError('malformed', 'is missing: this is no ONNX model', 'graph');
  refuseForbidden(proto, proto.graph);
  const irVersion = Number(proto.irVersion);
  if (irVersion < OLDEST_IR_VERSION)
    throw new ModelError('unsupported', `${irVersion} is older than ${OLDEST_IR_VERSION}`, 'ir_version');
  if (irVersion > LARGEST_VERSION)
    throw new ModelError('invalid', `${proto.irVersion} is no version of the format`, 'ir_version');
  const opsets = readOpsets(proto.opsetImport);
  const model: Model = {
    irVersion: Math.max(irVersion, LEAST_IR_VERSION),
    opset: defaultOpset(opsets),
    domains: usedDomains(opsets, proto.graph.node),
    producer: proto.producerName,
    metadata: readMetadata(proto.metadataProps),
    graph: readGraph(proto.graph, limits),
  };
  keepModel(model, proto);
  return model;
}

function parse(bytes: Uint8Array, limits: FileLimits): ModelProto {
  if (bytes.length > limits.bytes)
    throw new ModelError('limit', `has ${bytes.length} bytes, more than ${limits.bytes}`, 'file');
  try {
    scan(bytes, limits);
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw new ModelError('malformed', 'is no ONNX model, or cut short', 'file', { cause });
  }
}

function readOpsets(imports: readonly OperatorSetIdProto[]): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of imports) {
    const name = domain === 'ai.onnx' ? '' : domain;
    if (opsets.has(name)) throw new ModelError('invalid', `imports ${quoted(domain)} twice`, 'opset_import');
    opsets.set(name, Number(version));
  }
  return opsets;
}

function defaultOpset(opsets: ReadonlyMap<string, number>): number {
  const opset = opsets.get('');
  if (opset === undefined)
    throw new ModelError('invalid', "imports no version of the standard's operators", 'opset_import');
  if (opset < 1 || opset > NEWEST_OPSET)
    throw new ModelError('unsupported', `version ${opset} is outside 1 to ${NEWEST_OPSET}`, 'opset_import');
  return opset;
}

function usedDomains(opsets: ReadonlyMap<string, number>, nodes: readonly NodeProto[]): Map<string, number> {
  const used = new Map<string, number>();
  for (const node of nodes) {
    if (node.domain === '' || node.domain === 'ai.onnx') continue;
    const version = opsets.get(node.domain);
    if (version === undefined)
      throw new ModelError('invalid', `the model imports no version of ${quoted(node.domain)}`, nodeAt(node));
    if (version < 1 || version > LARGEST_VERSION)
      throw new ModelError('invalid', `${version} is no version of ${quoted(node.domain)}`, 'opset_import');
    used.set(node.domain, version);
  }
  return used;
}

function readMetadata(entries: readonly StringStringEntryProto[]): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const { key, value } of entries) {
    if (metadata.has(key)) throw new ModelError('invalid', `repeats ${quoted(key)}`, 'metadata_props');
    metadata.set(key, value);
  }
  return metadata;
}

function readGraph(proto: GraphProto, limits: FileLimits): Graph {
  for (const [what, count, most] of [
    ['nodes', proto.node.length, limits.nodes],
    ['initializers', proto.initializer.length, limits.initializers],
  ] as const)
    if (count > most) throw new ModelError('limit', `has ${count} ${what}, more than ${most}`, 'graph');
  if (proto.sparseInitializer.length > 0)
    throw new ModelError(
      'unsupported',
      'is sparse; export dense weights',
      named('initializer', proto.sparseInitializer[0].values?.name ?? ''),
    );

  const initializers = new Map<string, Tensor>();
  for (const tensor of proto.initializer) {
    const where = named('initializer', tensor.name);
    if (tensor.name === '') throw new ModelError('invalid', 'has no name', where);
    if (initializers.has(tensor.name)) throw new ModelError('invalid', 'is defined twice', where);
    initializers.set(tensor.name, readTensor(tensor, limits, where));
  }
  const inputs = proto.input
    .filter(({ name }) => !initializers.has(name))
    .map((value) => readValue('input', value, limits));
  const outputs = proto.output.map((value) => readValue('output', value, limits));
  if (inputs.length === 0) throw new ModelError('invalid', 'has no inputs', 'graph');
  if (outputs.length === 0) throw new ModelError('invalid', 'has no outputs', 'graph');
  const names = new Set(initializers.keys());
  define(names, 'input', inputs);
  define(new Set(), 'output', outputs);

  const read: Node[] = [];
  const givenNames = nodeNames(proto.node);
  for (const [index, message] of proto.node.entries()) {
    const node = readNode(message, givenNames[index], limits);
    const constant = constantOf(node, nodeAt(message));
    if (constant === undefined) {
      read.push(node);
      continue;
    }
    const [name] = node.outputs;
    if (names.has(name))
      throw new ModelError('invalid', `defines ${quoted(name)}, which is defined already`, nodeAt(message));
    names.add(name);
    initializers.set(name, constant);
  }
  const nodes = sortNodes(read, names);
  for (const node of nodes) for (const name of node.outputs) names.add(name);
  requireDefined(outputs, names);
  const graph: Graph = { name: proto.name, inputs, outputs, nodes, initializers };
  keepGraph(graph, proto);
  return graph;
}

function define(names: Set<string>, kind: string, values: readonly { name: string }[]): void {
  for (const { name } of values) {
    if (names.has(name)) throw new ModelError('invalid', 'is defined twice', named(kind, name));
    names.add(name);
  }
}

function readNode(proto: NodeProto, name: string, limits: FileLimits): Node {
  const where = nodeAt(proto);
  if (proto.opType === '') throw new ModelError('invalid', 'names no operator', where);
  if (proto.output.every((name) => name === '')) throw new ModelError('invalid', 'has no outputs', where);
  const node: Node = {
    name,
    op: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    inputs: [...proto.input],
    outputs: [...proto.output],
    attributes: readAttributes(proto.attribute, limits, where),
  };
  keepNode(node, proto);
  return node;
}

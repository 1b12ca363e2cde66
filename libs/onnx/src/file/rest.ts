/**
 * What a file says beyond the plain view: documentation, metadata and fields newer than our schema. It is kept
 * beside the view's objects, so that whatever no transform has replaced is written back whole. What could
 * contradict a view (other values of an attribute, inferred shapes of intermediate tensors) is not kept.
 */
import type { Message } from '@bufbuild/protobuf';
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from './generated/onnx_pb.js';

const rests = new WeakMap<object, object>();

function keep<M extends Message>(view: object, message: M, fields: readonly (keyof M)[]): void {
  const rest: Partial<M> = {};
  for (const field of fields) if (Object.hasOwn(message, field)) rest[field] = message[field];
  // Copied, since they are windows into the whole file.
  if (message.$unknown) rest.$unknown = message.$unknown.map((u) => ({ ...u, data: u.data.slice() }));
  const empty = Object.values(rest).every((value) => Array.isArray(value) && value.length === 0);
  if (!empty) rests.set(view, rest);
}

export const keepModel = (view: object, message: ModelProto): void =>
  keep(view, message, ['producerVersion', 'domain', 'modelVersion', 'docString', 'configuration']);
export const keepGraph = (view: object, message: GraphProto): void =>
  keep(view, message, ['docString', 'metadataProps', 'quantizationAnnotation']);
export const keepNode = (view: object, message: NodeProto): void =>
  keep(view, message, ['docString', 'metadataProps', 'overload', 'deviceConfigurations']);
export const keepAttribute = (view: object, message: AttributeProto): void =>
  keep(view, message, ['docString']);
export const keepTensor = (view: object, message: TensorProto): void =>
  keep(view, message, ['docString', 'metadataProps']);
export const keepValue = (view: object, message: ValueInfoProto): void =>
  keep(view, message, ['docString', 'metadataProps']);

/** Puts back into a message what was kept beside its view. */
export function putBack<M extends Message>(message: M, view: object): M {
  return Object.assign(message, rests.get(view));
}

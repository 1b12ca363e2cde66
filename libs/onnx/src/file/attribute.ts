/** Attributes between the file, where a field per kind stands beside a type, and the view's tagged values. */
import { create } from '@bufbuild/protobuf';
import { ModelError } from '../errors.js';
import type { AttributeValue } from '../graph.js';
import { AttributeProtoSchema, type AttributeProto } from './generated/onnx_pb.js';
import type { FileLimits } from './limits.js';
import { keepAttribute, putBack } from './rest.js';
import { readTensor, writeTensor } from './tensor.js';
import { quoted } from './where.js';

type Kind = AttributeValue['kind'];

const CODES: Readonly<Record<Kind, number>> = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  floats: 6,
  ints: 7,
  strings: 8,
};
const KINDS = new Map(Object.entries(CODES).map(([kind, code]) => [code, kind as Kind]));
const NAMES_OF_OTHERS = new Map([
  [9, 'a list of tensors'],
  [11, 'a sparse tensor'],
  [12, 'a list of sparse tensors'],
  [13, 'a type'],
  [14, 'a list of types'],
]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Graph attributes have been refused before; see forbidden.ts. */
export function readAttributes(
  protos: readonly AttributeProto[],
  limits: FileLimits,
  where: string,
): Record<string, AttributeValue> {
  const entries = new Map<string, AttributeValue>();
  for (const proto of protos) {
    if (entries.has(proto.name))
      throw new ModelError('invalid', `has the attribute ${quoted(proto.name)} twice`, where);
    entries.set(proto.name, readAttribute(proto, limits, where));
  }
  return Object.fromEntries(entries);
}

function readAttribute(proto: AttributeProto, limits: FileLimits, where: string): AttributeValue {
  const fail = (fault: 'malformed' | 'invalid' | 'unsupported', message: string): never => {
    throw new ModelError(fault, `attribute ${quoted(proto.name)} ${message}`, where);
  };
  if (proto.name === '') fail('invalid', 'has no name');
  if (proto.refAttrName !== '') fail('invalid', 'refers to the attribute of a function');
  const text = (bytes: Uint8Array): string => {
    try {
      return utf8.decode(bytes);
    } catch {
      return fail('malformed', 'is not UTF-8 text');
    }
  };
  const number = (value: number): number =>
    Number.isNaN(value) ? fail('invalid', 'is not a number') : value;

  const read = (): AttributeValue => {
    const kind = KINDS.get(proto.type);
    switch (kind) {
      case 'float':
        return { kind, value: number(proto.f) };
      case 'int':
        return { kind, value: proto.i };
      case 'string':
        return { kind, value: text(proto.s) };
      case 'tensor': {
        const tensor = proto.t ?? fail('malformed', 'holds no tensor');
        return { kind, value: readTensor(tensor, limits, `${where}, attribute ${quoted(proto.name)}`) };
      }
      case 'floats':
        return { kind, value: proto.floats.map(number) };
      case 'ints':
        return { kind, value: [...proto.ints] };
      case 'strings':
        return { kind, value: proto.strings.map(text) };
      case undefined:
        return fail('unsupported', `holds ${NAMES_OF_OTHERS.get(proto.type) ?? `type ${proto.type}`}`);
    }
  };
  const value = read();
  keepAttribute(value, proto);
  return value;
}

export function writeAttribute(name: string, attribute: AttributeValue): AttributeProto {
  const proto = create(AttributeProtoSchema, { name, type: CODES[attribute.kind] });
  const encoder = new TextEncoder();
  switch (attribute.kind) {
    case 'float':
      // What is beyond single precision is infinite there.
      proto.f = Math.fround(attribute.value);
      break;
    case 'int':
      proto.i = attribute.value;
      break;
    case 'string':
      proto.s = encoder.encode(attribute.value);
      break;
    case 'tensor':
      proto.t = writeTensor(attribute.value, '');
      break;
    case 'floats':
      proto.floats = attribute.value.map(Math.fround);
      break;
    case 'ints':
      proto.ints = [...attribute.value];
      break;
    case 'strings':
      proto.strings = attribute.value.map((text) => encoder.encode(text));
      break;
  }
  return putBack(proto, attribute);
}

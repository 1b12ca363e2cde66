/**
 * Walks a file's protobuf fields without building anything, so that its size in memory is known before it is
 * parsed: protobuf lets two bytes stand for an object, and messages nest as deep as the file is long.
 */
import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ModelError } from '../errors.js';
import { ModelProtoSchema } from './generated/onnx_pb.js';
import type { FileLimits } from './limits.js';

/** @throws ModelError 'limit' naming the message, 'malformed' where lengths contradict each other. */
export function scan(bytes: Uint8Array, limits: FileLimits): void {
  const reader = new BinaryReader(bytes);
  let records = 0;
  let numbers = 0;

  const walk = (desc: DescMessage, end: number, depth: number): void => {
    if (depth > limits.nesting)
      throw new ModelError('limit', `messages nest deeper than ${limits.nesting}`, desc.name);
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      if (++records > limits.records)
        throw new ModelError('limit', `the file has more than ${limits.records} fields`, desc.name);
      if (wireType !== WireType.LengthDelimited) {
        if (wireType === WireType.StartGroup || wireType === WireType.EndGroup)
          throw new ModelError('malformed', `field ${number} is a group, which ONNX has none of`, desc.name);
        reader.skip(wireType);
        continue;
      }
      const stop = reader.uint32() + reader.pos;
      if (stop > end) throw new ModelError('malformed', `field ${number} is cut short`, desc.name);
      const field = fieldsOf(desc).get(number);
      if (field?.message) walk(field.message, stop, depth + 1);
      else if (field && isVarint(field)) {
        for (let i = reader.pos; i < stop; i++) if (bytes[i] < 0x80) numbers++;
        if (numbers > limits.numbers)
          throw new ModelError('limit', `the file lists more than ${limits.numbers} numbers`, desc.name);
      }
      reader.pos = stop;
    }
    if (reader.pos !== end) throw new ModelError('malformed', 'a field is cut short', desc.name);
  };
  walk(ModelProtoSchema, bytes.length, 1);
}

const known = new Map<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  let fields = known.get(desc);
  if (fields === undefined) {
    fields = new Map(desc.fields.map((field) => [field.number, field]));
    known.set(desc, fields);
  }
  return fields;
}

const VARINTS: ReadonlySet<ScalarType> = new Set([ScalarType.INT32, ScalarType.INT64, ScalarType.UINT64]);

const isVarint = (field: DescField): boolean =>
  field.fieldKind === 'list' && field.listKind === 'scalar' && VARINTS.has(field.scalar);

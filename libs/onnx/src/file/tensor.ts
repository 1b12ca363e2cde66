/**
 * Constants between the file's many encodings and one typed array. Bytes are little-endian on both sides, as on
 * every machine that ONNX Runtime's npm package supports; arrays are copies, so the file's bytes can be freed.
 */
import { create } from '@bufbuild/protobuf';
import { ModelError } from '../errors.js';
import type { ElementType, Tensor, TensorData } from '../graph.js';
import { TensorProtoSchema, type TensorProto } from './generated/onnx_pb.js';
import type { FileLimits } from './limits.js';
import { keepTensor, putBack } from './rest.js';

interface Encoding {
  readonly code: number;
  readonly make: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer): TensorData;
  };
  /** The list that holds the elements where raw_data does not. */
  readonly list: 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';
}

const ENCODINGS: Readonly<Record<Exclude<ElementType, 'string'>, Encoding>> = {
  float32: { code: 1, make: Float32Array, list: 'floatData' },
  uint8: { code: 2, make: Uint8Array, list: 'int32Data' },
  int8: { code: 3, make: Int8Array, list: 'int32Data' },
  uint16: { code: 4, make: Uint16Array, list: 'int32Data' },
  int16: { code: 5, make: Int16Array, list: 'int32Data' },
  int32: { code: 6, make: Int32Array, list: 'int32Data' },
  int64: { code: 7, make: BigInt64Array, list: 'int64Data' },
  bool: { code: 9, make: Uint8Array, list: 'int32Data' },
  float16: { code: 10, make: Uint16Array, list: 'int32Data' },
  float64: { code: 11, make: Float64Array, list: 'doubleData' },
  uint32: { code: 12, make: Uint32Array, list: 'uint64Data' },
  uint64: { code: 13, make: BigUint64Array, list: 'uint64Data' },
  bfloat16: { code: 16, make: Uint16Array, list: 'int32Data' },
};
const STRING_CODE = 8;

const TYPES = new Map<number, ElementType>([
  ...Object.entries(ENCODINGS).map(([type, { code }]) => [code, type as ElementType] as const),
  [STRING_CODE, 'string'],
]);

/** The element type with a number of the format. */
export function elementType(code: number, where: string): ElementType {
  const type = TYPES.get(code);
  if (type === undefined)
    throw new ModelError('unsupported', `element type ${code} is not one that Facet computes with`, where);
  return type;
}

export const elementCode = (type: ElementType): number =>
  type === 'string' ? STRING_CODE : ENCODINGS[type].code;

/** @throws ModelError 'limit' before anything is allocated, 'invalid' where elements and dims disagree. */
export function readTensor(proto: TensorProto, limits: FileLimits, where: string): Tensor {
  const type = elementType(proto.dataType, where);
  if (type === 'string') throw new ModelError('unsupported', 'holds strings', where);
  if (proto.segment) throw new ModelError('unsupported', 'is stored in segments', where);
  const dims = readDims(proto.dims, limits, where);
  const count = dims.reduce((total, dim) => total * dim, 1);
  const { make, list } = ENCODINGS[type];
  const data =
    proto.rawData.length > 0
      ? fromRaw(proto.rawData, make, count, where)
      : fromList(proto[list], make, count, where);
  if (type === 'bool' && (data as Uint8Array).some((value) => value > 1))
    throw new ModelError('invalid', 'holds a bool that is neither 0 nor 1', where);
  requireFinite(type, data, where);
  const tensor = { type, dims, data };
  keepTensor(tensor, proto);
  return tensor;
}

function readDims(given: readonly bigint[], limits: FileLimits, where: string): number[] {
  if (given.length > limits.axes) throw new ModelError('limit', `has ${given.length} axes`, where);
  let product = 1;
  for (const dim of given) {
    if (dim < 0n) throw new ModelError('invalid', `has an axis of ${dim}`, where);
    if (dim > BigInt(limits.elementsPerTensor)) throw new ModelError('limit', `has an axis of ${dim}`, where);
    product *= Number(dim);
  }
  if (product > limits.elementsPerTensor)
    throw new ModelError(
      'limit',
      `[${given.join()}] has more than ${limits.elementsPerTensor} elements`,
      where,
    );
  return given.map(Number);
}

function fromRaw(raw: Uint8Array, make: Encoding['make'], count: number, where: string): TensorData {
  const needed = count * make.BYTES_PER_ELEMENT;
  if (raw.length !== needed)
    throw new ModelError('invalid', `holds ${raw.length} bytes where its dims need ${needed}`, where);
  return new make(Uint8Array.from(raw).buffer);
}

function fromList(
  list: readonly (number | bigint)[],
  make: Encoding['make'],
  count: number,
  where: string,
): TensorData {
  if (list.length !== count)
    throw new ModelError('invalid', `holds ${list.length} elements where its dims need ${count}`, where);
  const data = new make(new ArrayBuffer(count * make.BYTES_PER_ELEMENT));
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  const floating = data instanceof Float32Array || data instanceof Float64Array;
  for (let i = 0; i < count; i++) {
    const value = wide ? list[i] : Number(list[i]);
    (data as Record<number, number | bigint>)[i] = value;
    if (!floating && data[i] !== value)
      throw new ModelError('invalid', `holds ${value}, which its element type does not`, where);
  }
  return data;
}

/** Infinity may stand alone: exporters write masks and open bounds as such constants. Weights never hold it. */
function requireFinite(type: ElementType, data: TensorData, where: string): void {
  const isFinite = FINITE[type];
  if (isFinite === undefined) return;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (isFinite(value) || (data.length === 1 && isInfinite(type, value))) continue;
    throw new ModelError('invalid', `element ${i} is not a finite number`, where);
  }
}

const FINITE: Partial<Record<ElementType, (value: number) => boolean>> = {
  float32: Number.isFinite,
  float64: Number.isFinite,
  float16: (bits) => (bits & 0x7c00) !== 0x7c00,
  bfloat16: (bits) => (bits & 0x7f80) !== 0x7f80,
};

const isInfinite = (type: ElementType, value: number): boolean =>
  type === 'float16' || type === 'bfloat16'
    ? (value & (type === 'float16' ? 0x03ff : 0x007f)) === 0
    : !Number.isNaN(value);

export function writeTensor(tensor: Tensor, name: string): TensorProto {
  const { data } = tensor;
  const proto = create(TensorProtoSchema, {
    dims: tensor.dims.map(BigInt),
    dataType: elementCode(tensor.type),
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  });
  if (name !== '') proto.name = name;
  return putBack(proto, tensor);
}

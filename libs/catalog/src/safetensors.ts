/**
 * safetensors, the format that weights and priors are stored in: an 8-byte little-endian header length, a JSON header
 * {name: {dtype, shape, data_offsets}}, then the tensors' bytes. Written in the order of names, so equal tensors give
 * equal bytes. What is read may come from anywhere: tensors that overlap, which would let a small file fill the memory,
 * and bytes that belong to none are refused. Specification: the safetensors project's README.
 */
import { InputError } from '@facet/runtime';

export interface StoredTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** More than a hundred thousand tensors need; keeps a hostile header from being parsed for minutes. */
const HEADER_LIMIT_BYTES = 16 * 1024 * 1024;
const METADATA = '__metadata__';
/** Bytes of a value by type. */
const WIDTHS: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
]);
/** Types of numbers that are no floats, such as the counters in checkpoints of other frameworks: passed over. */
const PASSED_OVER: ReadonlyMap<string, number> = new Map([
  ['I64', 8],
  ['U64', 8],
  ['I32', 4],
  ['U32', 4],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
]);

const product = (dims: readonly number[]): number => dims.reduce((size, d) => size * d, 1);

/**
 * One file of `tensors`; `metadata` must be plain strings, as the format wants.
 * Errors: RangeError where a shape is not that of its values, or a tensor has the name of the metadata.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let offset = 0;
  const parts = names.map((name) => {
    const { dims, data } = tensors.get(name)!;
    if (name === METADATA) throw new RangeError(`no tensor may be called ${METADATA}`);
    if (product(dims) !== data.length)
      throw new RangeError(
        `tensor ${name} has ${data.length} values, its shape [${dims.join(', ')}] does not`,
      );
    const dtype = data instanceof Float32Array ? 'F32' : 'F64';
    header.push([name, { dtype, shape: dims, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const padding = (8 - (text.length % 8)) % 8;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length + padding));
  return Buffer.concat([length, text, Buffer.alloc(padding, ' '), ...parts]);
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEntry = (value: unknown): value is Entry => {
  if (!isObject(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  const sizes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return typeof dtype === 'string' && sizes(shape) && sizes(offsets) && offsets.length === 2;
};

const isMetadata = (value: unknown): value is Record<string, string> =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');

/** The header and where the tensors' bytes begin. */
function headerOf(bytes: Uint8Array, file: string): { header: Record<string, unknown>; start: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength >= 8 ? Number(view.getBigUint64(0, true)) : Infinity;
  const start = 8 + length;
  if (length > HEADER_LIMIT_BYTES || start > bytes.byteLength)
    throw new InputError('is not a safetensors file, or cut short', { file });
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw new InputError('has a header that is not JSON', { file, cause });
  }
  if (!isObject(header)) throw new InputError('has a header that is no JSON object', { file });
  return { header, start };
}

/** A half of IEEE 754. */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The upper half of a float32. */
function brain(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

function valuesOf(dtype: string, bytes: Uint8Array): Float32Array | Float64Array {
  const { buffer } = new Uint8Array(bytes);
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F64') return new Float64Array(buffer);
  return Float32Array.from(new Uint16Array(buffer), dtype === 'F16' ? half : brain);
}

/**
 * The tensors of floats; halves become float32, and integers are passed over.
 * Errors: InputError naming the file and the tensor for anything that is not a safetensors file.
 */
export function readSafetensors(
  bytes: Uint8Array,
  file: string,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const fail = (problem: string, field: string): InputError => new InputError(problem, { file, field });
  const { header, start } = headerOf(bytes, file);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isMetadata(metadata)) throw fail('holds more than strings', METADATA);
  const places = Object.entries(entries).map(([name, entry]) => {
    if (!isEntry(entry)) throw fail('has no dtype, shape and data_offsets', name);
    const { dtype, shape, data_offsets: offsets } = entry;
    const width = WIDTHS.get(dtype) ?? PASSED_OVER.get(dtype);
    if (width === undefined)
      throw fail(
        `has the type ${dtype}, which is none of ${[...WIDTHS.keys(), ...PASSED_OVER.keys()].join(', ')}`,
        name,
      );
    const [from, to] = offsets;
    if (to - from !== product(shape) * width || start + to > bytes.byteLength)
      throw fail('has offsets that do not fit its shape or the file', name);
    return { name, dtype, dims: shape, from, to };
  });
  let end = 0;
  for (const { name, from, to } of places.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw fail('overlaps another tensor, or bytes before it belong to none', name);
    end = to;
  }
  if (start + end !== bytes.byteLength)
    throw new InputError('has bytes at its end that belong to no tensor', { file });
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, dims, from, to } of places) {
    if (WIDTHS.has(dtype))
      tensors.set(name, { dims, data: valuesOf(dtype, bytes.subarray(start + from, start + to)) });
  }
  return { tensors, metadata };
}

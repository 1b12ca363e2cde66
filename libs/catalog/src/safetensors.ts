/**
 * safetensors, the format that weights and priors are stored in: an 8-byte little-endian header length, a JSON header
 * {name: {dtype, shape, data_offsets}}, then the tensors' bytes. Written in the order of names, so equal tensors give
 * equal bytes. Specification: the safetensors project's README.
 */
import { InputError } from '@facet/runtime';

export interface StoredTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

const HEADER_LIMIT_BYTES = 16 * 1024 * 1024;

const product = (dims: readonly number[]): number => dims.reduce((size, d) => size * d, 1);

/** One file of `tensors`; `metadata` must be plain strings, as the format wants. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let offset = 0;
  const parts = names.map((name) => {
    const { dims, data } = tensors.get(name)!;
    if (product(dims) !== data.length)
      throw new RangeError(
        `tensor ${name} has ${data.length} values, its shape [${dims.join(', ')}] does not`,
      );
    const dtype = data instanceof Float32Array ? 'F32' : 'F64';
    header[name] = { dtype, shape: dims, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  const text = Buffer.from(JSON.stringify(header));
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

const isEntry = (value: unknown): value is Entry => {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const sizes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return typeof dtype === 'string' && sizes(shape) && sizes(offsets) && offsets.length === 2;
};

/** Errors: InputError naming the file and the tensor for anything that is not a safetensors file of floats. */
export function readSafetensors(
  bytes: Uint8Array,
  file: string,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const fail = (problem: string, field?: string): never => {
    throw new InputError(problem, { file, ...(field === undefined ? {} : { field }) });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength >= 8 ? Number(view.getBigUint64(0, true)) : Infinity;
  if (length > HEADER_LIMIT_BYTES || 8 + length > bytes.byteLength)
    fail('is not a safetensors file, or cut short');
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString('utf8')) as Record<
      string,
      unknown
    >;
  } catch (cause) {
    throw new InputError('has a header that is not JSON', { file, cause });
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (!isEntry(entry)) return fail('has no dtype, shape and data_offsets', name);
    const width =
      entry.dtype === 'F32' ? 4 : entry.dtype === 'F64' ? 8 : fail(`has the type ${entry.dtype}`, name);
    const [from, to] = entry.data_offsets;
    if (to - from !== product(entry.shape) * width || 8 + length + to > bytes.byteLength)
      fail('has offsets that do not fit its shape or the file', name);
    const raw = bytes.slice(8 + length + from, 8 + length + to).buffer;
    tensors.set(name, {
      dims: entry.shape,
      data: entry.dtype === 'F32' ? new Float32Array(raw) : new Float64Array(raw),
    });
  }
  return { tensors, metadata: (header['__metadata__'] ?? {}) as Record<string, string> };
}

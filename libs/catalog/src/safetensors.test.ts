import { InputError } from '@facet/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.js';

const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const tensor = fc.tuple(dims, fc.boolean(), fc.integer()).map(([shape, single, seed]): StoredTensor => {
  const length = shape.reduce((size, d) => size * d, 1);
  const values = Array.from({ length }, (_, i) => Math.sin(seed + i) * 10 ** (i % 9));
  return { dims: shape, data: single ? Float32Array.from(values) : Float64Array.from(values) };
});
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', '7', '10', 'prior/depth/weights', ''),
);
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 8 }).map((entries) => new Map(entries));
const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });

/** A file with this header and so many bytes of data. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes, 1)]);
}
const entry = (from: number, to: number, shape = [(to - from) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe('safetensors', () => {
  it('gives back what was written, whatever its names, shapes and types', () => {
    fc.assert(
      fc.property(tensors, metadata, (given, meta) => {
        const read = readSafetensors(writeSafetensors(given, meta), 'f');
        expect(read.tensors).toEqual(given);
        expect(read.metadata).toEqual(meta);
      }),
    );
  });

  it('gives equal bytes for equal tensors, in whatever order they come', () => {
    fc.assert(
      fc.property(tensors, (given) => {
        const reversed = new Map([...given].reverse());
        expect(writeSafetensors(reversed)).toEqual(writeSafetensors(given));
      }),
    );
  });

  it('writes the format: little-endian length, a header padded to eight bytes, values in the order of names', () => {
    const file = Buffer.from(
      writeSafetensors(
        new Map([
          ['b', { dims: [1], data: Float64Array.of(2) }],
          ['a', { dims: [2], data: Float32Array.of(1, -1) }],
        ]),
        { made: 'here' },
      ),
    );
    const length = Number(file.readBigUInt64LE());
    expect(length % 8).toBe(0);
    expect(JSON.parse(file.toString('utf8', 8, 8 + length))).toEqual({
      __metadata__: { made: 'here' },
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b: { dtype: 'F64', shape: [1], data_offsets: [8, 16] },
    });
    const data = file.subarray(8 + length);
    expect([data.readFloatLE(0), data.readFloatLE(4), data.readDoubleLE(8)]).toEqual([1, -1, 2]);
  });

  it('keeps every bit: infinities, signed zeros, not-a-numbers, the smallest and the largest', () => {
    const data = Float64Array.of(Infinity, -Infinity, -0, Number.NaN, Number.MIN_VALUE, Number.MAX_VALUE);
    const read = readSafetensors(writeSafetensors(new Map([['x', { dims: [6], data }]])), 'f');
    expect(read.tensors.get('x')!.data).toEqual(data);
  });

  it('writes and reads parts of larger buffers', () => {
    const data = new Float32Array(8).map((_, i) => i).subarray(3, 6);
    const file = writeSafetensors(new Map([['x', { dims: [3], data }]]));
    const shifted = Buffer.concat([Buffer.alloc(3), file]).subarray(3);
    expect(readSafetensors(shifted, 'f').tensors.get('x')!.data).toEqual(Float32Array.of(3, 4, 5));
  });

  it('does not write what it would not read', () => {
    const one = { dims: [1], data: Float32Array.of(1) };
    expect(() => writeSafetensors(new Map([['x', { ...one, dims: [2] }]]))).toThrow(/x has 1 values/);
    expect(() => writeSafetensors(new Map([['__metadata__', one]]))).toThrow(/may be called/);
  });
});

describe('a hostile safetensors file', () => {
  const good = fileOf({ a: entry(0, 8), b: entry(8, 12) }, 12);
  it('is not the one that these differ from', () => {
    expect([...readSafetensors(good, 'f').tensors.keys()]).toEqual(['a', 'b']);
  });

  const huge = Buffer.from(good);
  huge.writeBigUInt64LE(2n ** 63n);
  const large = Buffer.alloc(8 + 17 * 1024 * 1024, ' ');
  large.writeBigUInt64LE(17n * 1024n * 1024n);

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /^f: is not a safetensors file/],
    ['less than a length', new Uint8Array(7), /^f: is not a safetensors file/],
    ['a header longer than any file', huge, /^f: is not a safetensors file/],
    ['a header larger than any real one', large, /^f: is not a safetensors file/],
    ['no JSON', fileOf('{"a":'), /^f: has a header that is not JSON/],
    [
      'no UTF-8',
      Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xff])]),
      /^f: has a header that is not JSON/,
    ],
    ['null', fileOf('null'), /^f: has a header that is no JSON object/],
    ['a list', fileOf('[]'), /^f: has a header that is no JSON object/],
    ['a text', fileOf('"abc"'), /^f: has a header that is no JSON object/],
    ['an entry that is null', fileOf({ a: null }), /^f: a: has no dtype/],
    [
      'an entry without a shape',
      fileOf({ a: { dtype: 'F32', data_offsets: [0, 0] } }),
      /^f: a: has no dtype/,
    ],
    ['half a value', fileOf({ a: entry(0, 6, [1.5]) }, 6), /^f: a: has no dtype/],
    ['a negative size', fileOf({ a: entry(0, 4, [-1, -1]) }, 4), /^f: a: has no dtype/],
    ['a negative offset', fileOf({ a: entry(-4, 0) }), /^f: a: has no dtype/],
    ['three offsets', fileOf({ a: { ...entry(0, 4), data_offsets: [0, 4, 8] } }, 8), /^f: a: has no dtype/],
    ['a type that nobody knows', fileOf({ a: entry(0, 4, [4], 'F8_E4M3') }, 4), /^f: a: has the type F8/],
    ['a half of double width', fileOf({ a: entry(0, 4, [1], 'F16') }, 4), /^f: a: has offsets/],
    ['a type from a prototype', fileOf({ a: entry(0, 4, [1], 'constructor') }, 4), /^f: a: has the type/],
    ['an end before the beginning', fileOf({ a: entry(8, 4, [1]) }, 8), /^f: a: has offsets/],
    ['offsets beyond the file', fileOf({ a: entry(0, 400) }, 8), /^f: a: has offsets/],
    ['a shape that is larger', fileOf({ a: entry(0, 8, [3]) }, 8), /^f: a: has offsets/],
    ['a size that overflows', fileOf({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8), /^f: a: has offsets/],
    ['values that overlap', fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), /^f: b: overlaps/],
    ['values that lie on each other', fileOf({ a: entry(0, 8), b: entry(0, 8) }, 8), /^f: b: overlaps/],
    ['a hole', fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12), /^f: b: overlaps .* belong to none/],
    ['a hole at the beginning', fileOf({ a: entry(4, 8) }, 8), /^f: a: overlaps/],
    ['bytes at the end', fileOf({ a: entry(0, 4) }, 8), /^f: has bytes at its end/],
    ['metadata that are no strings', fileOf({ __metadata__: { a: 1 } }), /^f: __metadata__: holds more/],
    ['metadata that are a list', fileOf({ __metadata__: [] }), /^f: __metadata__: holds more/],
  ])('is refused: %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'f')).toThrow(InputError);
    expect(() => readSafetensors(bytes, 'f')).toThrow(message);
  });

  it('is refused wherever it is cut short', () => {
    for (let length = 0; length < good.length; length++)
      expect(() => readSafetensors(good.subarray(0, length), 'f'), `${length}`).toThrow(InputError);
  });

  it('is refused or read, but never breaks the reader', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { dims: shape, data } of readSafetensors(bytes, 'f').tensors.values())
            expect(data.length).toBe(shape.reduce((size, d) => size * d, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('reads halves as float32, and passes over integers', () => {
  const header = JSON.stringify({
    half: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
    brain: { dtype: 'BF16', shape: [1], data_offsets: [6, 8] },
    num_batches_tracked: { dtype: 'I64', shape: [], data_offsets: [8, 16] },
  });
  const bytes = Buffer.alloc(8 + header.length + 16);
  bytes.writeBigUInt64LE(BigInt(header.length));
  bytes.write(header, 8);
  [0x3c00, 0xc100, 0x0001, 0x3fc0].forEach((bits, i) => bytes.writeUInt16LE(bits, 8 + header.length + 2 * i));
  const { tensors } = readSafetensors(bytes, 'f');
  expect([...tensors.keys()].sort()).toEqual(['brain', 'half']);
  expect([...tensors.get('half')!.data]).toEqual([1, -2.5, 2 ** -24]);
  expect([...tensors.get('brain')!.data]).toEqual([1.5]);
});

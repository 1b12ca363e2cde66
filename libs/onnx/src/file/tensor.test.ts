import { describe, expect, it } from 'vitest';
import type { ElementType } from '../graph.js';
import { DEFAULT_FILE_LIMITS } from './limits.js';
import { tensor } from './proto.fixture.js';
import { readTensor } from './tensor.js';

const read = (init: Parameters<typeof tensor>[0]) => readTensor(tensor(init), DEFAULT_FILE_LIMITS, 'here');

/** Two elements each, little-endian. */
const RAW: readonly (readonly [number, ElementType, readonly number[], ArrayLike<number | bigint>])[] = [
  [1, 'float32', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
  [2, 'uint8', [1, 255], [1, 255]],
  [3, 'int8', [1, 255], [1, -1]],
  [4, 'uint16', [1, 0, 255, 255], [1, 65535]],
  [5, 'int16', [1, 0, 255, 255], [1, -1]],
  [6, 'int32', [0, 1, 0, 0, 255, 255, 255, 255], [256, -1]],
  [7, 'int64', [0, 0, 0, 0, 1, 0, 0, 0, ...new Array<number>(8).fill(255)], [2n ** 32n, -1n]],
  [9, 'bool', [0, 1], [0, 1]],
  [10, 'float16', [0, 0x3c, 0, 0xc0], [0x3c00, 0xc000]],
  [11, 'float64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], [1, -2]],
  [12, 'uint32', [0, 1, 0, 0, 255, 255, 255, 255], [256, 2 ** 32 - 1]],
  [13, 'uint64', [0, 0, 0, 0, 1, 0, 0, 0, ...new Array<number>(8).fill(255)], [2n ** 32n, 2n ** 64n - 1n]],
  [16, 'bfloat16', [0x80, 0x3f, 0, 0xc0], [0x3f80, 0xc000]],
];

describe('readTensor', () => {
  it.each(RAW)(
    'reads raw bytes of type %i (%s), however they lie in memory',
    (dataType, type, bytes, elements) => {
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      const result = read({ dataType, dims: [2n], rawData: shifted.subarray(1) });
      expect(result).toMatchObject({ type, dims: [2] });
      expect(Array.from<number | bigint>(result.data)).toEqual(elements);
    },
  );

  it.each(RAW)('reads a list of type %i (%s)', (dataType, type, _, elements) => {
    const list = Array.from(elements);
    const numbers = list.map(Number);
    const wide = list.map(BigInt);
    const lists =
      type === 'float32'
        ? { floatData: numbers }
        : type === 'float64'
          ? { doubleData: numbers }
          : type === 'int64'
            ? { int64Data: wide }
            : type === 'uint64' || type === 'uint32'
              ? { uint64Data: wide }
              : { int32Data: numbers };
    expect(Array.from<number | bigint>(read({ dataType, dims: [1n, 2n], ...lists }).data)).toEqual(elements);
  });

  it('reads scalars and tensors without elements', () => {
    expect(read({ dataType: 1, floatData: [3] })).toEqual({
      type: 'float32',
      dims: [],
      data: Float32Array.of(3),
    });
    expect(read({ dataType: 7, dims: [0n] })).toEqual({
      type: 'int64',
      dims: [0],
      data: new BigInt64Array(),
    });
  });

  it.each([
    ['float16', 10, 0x7c00],
    ['bfloat16', 16, 0x7f80],
  ] as const)('finds infinity and NaN in the bits of %s', (_, dataType, infinity) => {
    const bits = (value: number) => ({ dataType, dims: [2n], int32Data: [0, value] });
    expect(() => read(bits(infinity))).toThrow(/element 1/);
    expect(() => read({ dataType, int32Data: [infinity + 1] })).toThrow(/element 0/);
    expect(read({ dataType, int32Data: [infinity | 0x8000] }).data[0]).toBe(infinity | 0x8000);
    expect(read(bits(infinity - 1)).data[1]).toBe(infinity - 1);
  });
});

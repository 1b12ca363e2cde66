/** Whatever the bytes are, reading ends in a model that can be written, or in a ModelError. */
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors.js';
import { spoiled } from './proto.fixture.js';
import { readModel } from './read.js';
import { writeModel } from './write.js';

/** @returns whether the bytes were accepted. */
function survives(bytes: Uint8Array): boolean {
  try {
    const written = writeModel(readModel(bytes));
    expect(Buffer.compare(writeModel(readModel(written)), written)).toBe(0);
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}

const offset = (bytes: Uint8Array) => fc.nat(bytes.length - 1);
const edits = (bytes: Uint8Array) =>
  fc.array(fc.record({ at: offset(bytes), byte: fc.integer({ min: 0, max: 255 }) }), {
    minLength: 1,
    maxLength: 4,
  });

function mutated(bytes: Uint8Array, changes: readonly { at: number; byte: number }[]): Uint8Array {
  const copy = bytes.slice();
  for (const { at, byte } of changes) copy[at] = byte;
  return copy;
}

const small = spoiled(() => undefined);

describe('hostile bytes', () => {
  it('survives every truncation', () => {
    for (let end = 0; end < small.length; end++) {
      const accepted = survives(small.slice(0, end));
      // Metadata and operator sets follow the graph; nothing before them is enough.
      if (end < small.length / 2) expect(accepted).toBe(false);
    }
  });

  it('says that what is no model is malformed', () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(100),
      new TextEncoder().encode('<html>not a model</html>'),
    ])
      expect(() => readModel(bytes)).toThrow(expect.objectContaining({ fault: 'malformed' }));
  });

  it('survives every single bit that flips', () => {
    for (let at = 0; at < small.length; at++)
      for (let bit = 0; bit < 8; bit++) survives(mutated(small, [{ at, byte: small[at] ^ (1 << bit) }]));
  });

  it('survives changed bytes', () => {
    fc.assert(
      fc.property(edits(small), (changes) => void survives(mutated(small, changes))),
      { numRuns: 2000 },
    );
  });

  it('survives moved parts', () => {
    fc.assert(
      fc.property(offset(small), offset(small), offset(small), (from, to, length) => {
        const copy = small.slice();
        copy.copyWithin(to, from, from + length);
        survives(copy);
      }),
      { numRuns: 500 },
    );
  });

  it('survives noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void survives(bytes)),
      { numRuns: 1000 },
    );
  });
});

const cases = process.env['FACET_CASES'];
describe.skipIf(cases === undefined)('models of FACET_CASES', () => {
  const folder = join(cases ?? '', 'gradients');
  const files = cases === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  it.each(files)('%s, cut or changed anywhere', (name) => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    fc.assert(
      fc.property(offset(bytes), edits(bytes), (end, changes) => {
        survives(bytes.subarray(0, end));
        survives(mutated(bytes, changes));
      }),
      { numRuns: 40 },
    );
  });
});

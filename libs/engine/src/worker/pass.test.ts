import type { AttackBatch } from '@facet/adversary';
import type { ModelManifest } from '@facet/contracts';
import { expect, it } from 'vitest';
import { passOf } from './pass.js';
import type { Values } from './sessions.js';

const SIDE = 2;
const SIZE = 3 * SIDE * SIDE;
const model: Pick<ModelManifest, 'input' | 'output'> = {
  input: {
    name: 'input',
    layout: 'nchw',
    height: SIDE,
    width: SIDE,
    colour: 'rgb',
    white: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  output: { kind: 'logit', name: 'live', high: 'live' },
};

/** Says of a row its first pixel and its label, and writes its pixels and `length` on; the rows of each run. */
function scripted() {
  const runs: number[] = [];
  return {
    runs,
    run(feeds: Readonly<Record<string, Values>>, into: Readonly<Record<string, Values>> = {}) {
      const [n] = feeds['pixels'].dims;
      runs.push(n);
      const pixels = feeds['pixels'].data as Float32Array;
      const [length] = feeds['length'].data as Float32Array;
      (into['next'].data as Float32Array).set(pixels.map((pixel) => pixel + length));
      const first = Float32Array.from({ length: n }, (_, i) => pixels[i * SIZE]);
      const labels = Float32Array.from(feeds['label'].data as BigInt64Array, Number);
      return Promise.resolve({ value: labels, decision: first });
    },
  };
}

const batchOf = (n: number): AttackBatch => ({
  n,
  pixels: Float32Array.from({ length: n * SIZE }, (_, i) => i),
  labels: Uint8Array.from({ length: n }, (_, i) => i),
  targets: new Map(),
});

it.each([3, 8, Infinity])(
  'serves every row once, in runs of at most %d and never of one',
  async (mostRows) => {
    for (let n = 1; n <= 20; n++) {
      const session = scripted();
      const batch = batchOf(n);
      const next = new Float32Array(n * SIZE);
      const { value, scores } = await passOf(
        model,
        session,
        32,
        mostRows,
      )(batch, { next }, { numbers: { length: 1 } });
      expect([...value]).toEqual([...batch.labels]);
      expect([...scores]).toEqual(Array.from(batch.labels, (i) => i * SIZE));
      expect(next).toEqual(batch.pixels.map((pixel) => pixel + 1));
      expect(session.runs.reduce((sum, rows) => sum + rows, 0)).toBe(Math.max(2, n));
      for (const rows of session.runs) {
        expect(rows).toBeLessThanOrEqual(mostRows);
        expect(rows).toBeGreaterThanOrEqual(2);
      }
    }
  },
);

it('leaves a sample alone where the plan never puts another beside it', async () => {
  const session = scripted();
  await passOf(model, session, 1)(batchOf(1), { next: new Float32Array(SIZE) }, { numbers: { length: 1 } });
  expect(session.runs).toEqual([1]);
});

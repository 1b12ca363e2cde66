import { NORMS, type SearchConfig } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import type { AttackBatch, GradientOracle } from '../ports.js';
import { budgetOf, rootMeanSquare } from '../threat/budget.js';
import { dequantise } from '../threat/quantise.js';
import { Random } from '@facet/random';
import { searchOf } from './presets.js';

const SIZE = 3 * 4 * 4;

/** A decision that is curved in the pixels: score = sum_i w_i tanh(p_i - 0.5), attacked through its gradient. */
class CurvedOracle implements GradientOracle {
  readonly weights = Float32Array.from({ length: SIZE }, (_, i) => Math.cos(3 * i));
  calls = 0;

  gradient(batch: AttackBatch) {
    this.calls++;
    const value = new Float32Array(batch.n);
    const gradient = new Float32Array(batch.n * SIZE);
    for (let i = 0; i < batch.n; i++) {
      const sign = batch.labels[i] === 0 ? -1 : 1;
      for (let j = 0; j < SIZE; j++) {
        const t = Math.tanh(batch.pixels[i * SIZE + j] - 0.5);
        value[i] += sign * this.weights[j] * t;
        gradient[i * SIZE + j] = sign * this.weights[j] * (1 - t * t);
      }
    }
    return Promise.resolve({ value, gradient });
  }

  scores(pixels: Float32Array, n: number) {
    const score = (i: number): number =>
      this.weights.reduce((sum, w, j) => sum + w * Math.tanh(pixels[i * SIZE + j] - 0.5), 0);
    return Promise.resolve(Float64Array.from({ length: n }, (_, i) => score(i)));
  }
}

const images = (n: number): Uint8Array => {
  const random = new Random(1, 'images');
  return Uint8Array.from({ length: n * SIZE }, () => 100 + Math.floor(56 * random.uniform()));
};

const batchOf = async (clean: Uint8Array, oracle: GradientOracle): Promise<AttackBatch> => {
  const n = clean.length / SIZE;
  const pixels = dequantise(clean);
  const scores = await oracle.scores(pixels, n);
  return { n, pixels, labels: Uint8Array.from(scores, (s) => (s >= 0 ? 0 : 1)), targets: new Map() };
};

const SEARCHES: SearchConfig[] = [
  { name: 'fgsm' },
  { name: 'pgd', steps: 5, restarts: 1 },
  { name: 'pgd', steps: 3, restarts: 3, relativeStep: 0.5 },
];
const fooled = (score: number, label: number): boolean => (score >= 0 ? 0 : 1) !== label;

const run = async (
  config: SearchConfig,
  threat: Parameters<typeof budgetOf>[0],
  clean: Uint8Array,
  from = 0,
) => {
  const oracle = new CurvedOracle();
  const batch = await batchOf(clean, oracle);
  const keys = Array.from({ length: batch.n }, (_, i) => `sample-${from + i}`);
  const context = { oracle, budget: budgetOf(threat), seed: 7, keys, fooled };
  const found = await searchOf(config)(batch, clean, context);
  const scores = await oracle.scores(dequantise(found), batch.n);
  return { found, oracle, successes: batch.labels.filter((label, i) => fooled(scores[i], label)).length };
};

const TABLE = SEARCHES.flatMap((config) => NORMS.map((norm) => ({ config, norm })));

describe.each(TABLE)('$config.name on $norm', ({ config, norm }) => {
  const clean = images(6);
  const threat = { norm, epsilon: 6 / 255 };

  it('stays inside the budget after quantisation', async () => {
    const { found } = await run(config, threat, clean);
    for (let i = 0; i < 6; i++) {
      const a = dequantise(found.subarray(i * SIZE, (i + 1) * SIZE));
      const b = dequantise(clean.subarray(i * SIZE, (i + 1) * SIZE));
      const length = norm === 'l2' ? rootMeanSquare(a, b) : Math.max(...a.map((v, j) => Math.abs(v - b[j])));
      expect(length).toBeLessThanOrEqual(threat.epsilon + 1e-6);
      expect(length).toBeGreaterThan(0);
    }
  });

  it('is the same twice, and the same for a sample in a smaller batch', async () => {
    const whole = await run(config, threat, clean);
    const again = await run(config, threat, clean);
    const part = await run(config, threat, clean.subarray(2 * SIZE, 4 * SIZE), 2);
    expect(again.found).toEqual(whole.found);
    expect(part.found).toEqual(whole.found.subarray(2 * SIZE, 4 * SIZE));
  });

  it('is never weaker with a larger budget', async () => {
    const rates: number[] = [];
    for (const epsilon of [1, 4, 16, 60]) {
      rates.push((await run(config, { norm, epsilon: epsilon / 255 }, clean)).successes);
    }
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates.at(-1)).toBe(6);
  });

  it('ends when it is aborted', async () => {
    const oracle = new CurvedOracle();
    const batch = await batchOf(clean, oracle);
    const signal = AbortSignal.abort(new Error('enough'));
    const keys = new Array<string>(6).fill('k');
    const attack = searchOf(config)(batch, clean, {
      oracle,
      budget: budgetOf(threat),
      seed: 0,
      keys,
      fooled,
      signal,
    });
    await expect(attack).rejects.toThrow('enough');
    expect(oracle.calls).toBe(0);
  });
});

describe('restarts', () => {
  it('are spent on samples that still stand', async () => {
    const clean = images(6);
    const far = await run({ name: 'pgd', steps: 4, restarts: 3 }, { norm: 'linf', epsilon: 60 / 255 }, clean);
    expect(far.successes).toBe(6);
    expect(far.oracle.calls).toBe(4);
  });
});

import { AdversarialTraining } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attackedPerPart, CONSISTENCY, epsilonAt, planAttack, withTwins } from './adversarial.js';
import type { LabelledBatch } from './batches.js';

const config = (changes: object = {}): AdversarialTraining =>
  AdversarialTraining.parse({ threat: { norm: 'linf', epsilon: 0.02 }, ...changes });
const MIX = [
  { objective: 'direct', weight: 2 },
  { objective: 'sfa', facets: ['depth', 'reflection'] },
  { objective: 'clean' },
];
const about = { seed: 3, step: 0, batch: 32, parts: 2, facets: ['attributes'] };

describe('planAttack', () => {
  it('attacks as many of each part as the share says, but for those that the mix leaves clean', () => {
    const shape = fc.record({
      parts: fc.integer({ min: 1, max: 4 }),
      within: fc.integer({ min: 1, max: 24 }),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
      step: fc.nat(1000),
      mixed: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ parts, within, share, step, mixed }) => {
        const adversarial = config({ share, ...(mixed && { mix: MIX }) });
        const batch = parts * within;
        const attack = planAttack(adversarial, { ...about, step, batch, parts });
        expect(attack).toEqual(planAttack(adversarial, { ...about, step, batch, parts }));
        expect(attack.parts).toHaveLength(parts);
        for (const groups of attack.parts) {
          const rows = groups.flatMap((group) => group.rows);
          expect(new Set(rows).size).toBe(rows.length);
          expect(rows.every((row) => row >= 0 && row < within)).toBe(true);
          const wanted = attackedPerPart(adversarial, batch, parts);
          if (mixed) expect(rows.length).toBeLessThanOrEqual(wanted);
          else expect(rows.length).toBe(wanted);
        }
      }),
    );
  });

  it('draws objectives by their weights, and lets facets take turns by step', () => {
    const counts = new Map<string, number>();
    for (let step = 0; step < 200; step++)
      for (const groups of planAttack(config({ mix: MIX, share: 1 }), { ...about, step }).parts)
        for (const { objective, facet, rows } of groups) {
          counts.set(objective, (counts.get(objective) ?? 0) + rows.length);
          expect(facet).toBe(objective === 'sfa' ? ['depth', 'reflection'][step % 2] : undefined);
        }
    expect(counts.get('direct')! / 6400).toBeCloseTo(0.5, 1);
    expect(counts.get('sfa')! / 6400).toBeCloseTo(0.25, 1);
  });

  it('raises epsilon over the warm-up', () => {
    const adversarial = config({ warmupSteps: 4 });
    expect([0, 1, 3, 9].map((step) => epsilonAt(step, adversarial))).toEqual([0.005, 0.01, 0.02, 0.02]);
    expect(epsilonAt(0, config())).toBe(0.02);
  });
});

it('puts twins behind the clean samples of their part, which only the consistency loss reads', () => {
  const batch: LabelledBatch = {
    size: 4,
    parts: 2,
    pixels: Float32Array.of(1, 2, 3, 4),
    labels: Uint8Array.of(0, 1, 0, 1),
    targets: { live: BigInt64Array.of(0n, 1n, 0n, 1n) },
    masks: { live: Float32Array.of(1, 1, 1, 1) },
  };
  const attack = {
    epsilon: 0.1,
    seed: 1,
    parts: [[{ objective: 'direct' as const, rows: [1] }], [{ objective: 'direct' as const, rows: [0] }]],
  };
  expect(withTwins(batch, Float32Array.of(1, 20, 30, 4), attack)).toEqual({
    size: 6,
    parts: 2,
    pixels: Float32Array.of(1, 2, 20, 3, 4, 30),
    targets: {
      live: BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 0n),
      [CONSISTENCY]: BigInt64Array.of(0n, 0n, 1n, 0n, 0n, 0n),
    },
    masks: {
      live: Float32Array.of(1, 1, 0, 1, 1, 0),
      [CONSISTENCY]: Float32Array.of(0, 0, 1, 0, 0, 1),
    },
  });
});

it.each([
  ['TRADES with another objective', { search: { name: 'trades' }, mix: [{ objective: 'sfa' }] }, /mix/],
  ['facets of an objective without', { mix: [{ objective: 'direct', facets: ['depth'] }] }, /facets/],
  ['a share of nothing', { share: 0 }, /share/],
])('a recipe cannot ask for %s', (_, changes, message) => {
  expect(() => config(changes)).toThrow(message);
});

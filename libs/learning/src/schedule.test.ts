import type { LearningRateSchedule } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.js';

describe('learningRateAt', () => {
  it('rises linearly, then falls along a cosine', () => {
    const schedule = {
      learningRate: 1,
      warmupSteps: 4,
      totalSteps: 12,
      schedule: { kind: 'cosine' },
    } as const;
    const rates = Array.from({ length: 12 }, (_, step) => learningRateAt(step, schedule));
    expect(rates.slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect(rates[8]).toBeCloseTo(0.5);
    expect(rates[11]).toBeCloseTo((1 + Math.cos((7 / 8) * Math.PI)) / 2);
  });

  it.each<LearningRateSchedule>([
    { kind: 'cosine' },
    { kind: 'constant' },
    { kind: 'steps', at: [0.5, 0.75], factor: 0.1 },
  ])('stays positive, at most the peak, and never rises again: $kind', (schedule) => {
    const count = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(count, fc.integer({ min: 1, max: 60 }), (warmupSteps, totalSteps) => {
        const rates = Array.from({ length: totalSteps }, (_, step) =>
          learningRateAt(step, { learningRate: 0.3, warmupSteps, totalSteps, schedule }),
        );
        expect(rates.every((rate) => rate > 0 && rate <= 0.3)).toBe(true);
        const falling = rates.slice(Math.min(warmupSteps, totalSteps));
        expect(falling.every((rate, i) => i === 0 || rate <= falling[i - 1])).toBe(true);
      }),
    );
  });

  it('falls where the steps say', () => {
    const schedule: LearningRateSchedule = { kind: 'steps', at: [0.5, 0.75], factor: 0.1 };
    const rates = Array.from({ length: 8 }, (_, step) =>
      learningRateAt(step, { learningRate: 1, warmupSteps: 0, totalSteps: 8, schedule }),
    );
    expect(rates.map((rate) => Number(rate.toFixed(6)))).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]);
  });
});

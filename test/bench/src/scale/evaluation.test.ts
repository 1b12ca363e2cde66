import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assumptions, type Order, simulate } from './evaluation.js';

/** Nothing but the attack takes time. */
const bare: Assumptions = {
  ...{ lanes: 128, jobsPerPod: 1, shardS: 2, shardSpread: 0, joinS: 0, hopS: 0 },
  ...{ shardBytes: 0, storeBytesPerS: 1, noticeS: 0, nodeS: 0, nodeSpread: 0 },
  ...{ featuresS: 0, featurePods: 4, concludeS: 0, cooldownS: 0, nodePrice: 3600 },
};
const one: Order = { pods: 1, evaluations: 1, shards: 100, seed: 1 };

describe('a simulated evaluation', () => {
  it('takes as long as its shards, one after the other on one pod, side by side on several', () => {
    expect(simulate(one, bare)).toMatchObject({ reportS: 200, cost: 200, gpuBusy: 1 });
    expect(simulate({ ...one, pods: 50 }, bare)).toMatchObject({ reportS: 4, cost: 200, gpuBusy: 1 });
    expect(simulate({ ...one, pods: 3 }, bare).reportS).toBe(68);
  });

  it('has everything before and after in its time, and pays for what waits', () => {
    const slow = { ...bare, featuresS: 10, noticeS: 5, nodeS: 60, concludeS: 7, cooldownS: 30 };
    expect(simulate(one, slow)).toMatchObject({ reportS: 10 + 5 + 60 + 200 + 7, cost: 60 + 200 + 30 });
  });

  it('has no more pods at work than lanes, and no more than the autoscaler wants', () => {
    const large = { ...one, pods: 1000, shards: 1280 };
    expect(simulate(large, bare)).toMatchObject({ podsUsed: 128, reportS: 20 });
    expect(simulate(large, { ...bare, jobsPerPod: 8 })).toMatchObject({ podsUsed: 16, reportS: 160 });
    expect(simulate({ ...large, evaluations: 5 }, bare)).toMatchObject({ podsUsed: 640, reportS: 20 });
  });

  it('is never faster than the join and the store, however many pods there are', () => {
    const many = { ...one, pods: 1000, shards: 10_000, evaluations: 8 };
    const joined = simulate(many, { ...bare, joinS: 0.01 });
    expect(joined.reportS).toBeGreaterThanOrEqual(8 * 10_000 * 0.01);
    expect(joined.joinBusy).toBeCloseTo(1, 1);
    const stored = simulate(many, { ...bare, shardBytes: 10, storeBytesPerS: 1000 });
    expect(stored.reportS).toBeGreaterThanOrEqual(8 * 10_000 * 0.01);
    expect(stored.storeBusy).toBeCloseTo(1, 1);
  });

  it('waits for the features of all, and for one report after the other', () => {
    const team = { pods: 1000, evaluations: 9, shards: 1, seed: 1 };
    expect(simulate(team, { ...bare, featuresS: 60 }).reportS).toBe(3 * 60 + 2);
    expect(simulate(team, { ...bare, concludeS: 10 })).toMatchObject({ reportS: 2 + 90 });
  });

  it('is the same for a seed, and works off every shard whatever the numbers are', () => {
    const order = fc.record({
      pods: fc.integer({ min: 1, max: 50 }),
      evaluations: fc.integer({ min: 1, max: 4 }),
      shards: fc.integer({ min: 1, max: 300 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(order, (asked) => {
        const assumed = { ...bare, shardSpread: 0.3, nodeS: 60, nodeSpread: 0.3, joinS: 0.001, hopS: 0.002 };
        const outcome = simulate(asked, assumed);
        expect(simulate(asked, assumed)).toEqual(outcome);
        expect(outcome.gpuBusy).toBeLessThanOrEqual(1);
        // The join is asked once a shard: its share of the time counts them.
        const shards = (outcome.joinBusy * outcome.reportS) / assumed.joinS;
        expect(shards).toBeCloseTo(asked.evaluations * asked.shards, 6);
      }),
    );
  });
});

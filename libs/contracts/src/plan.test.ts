import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssues } from './issues.js';
import { Epsilon, EvaluationPlan, Policy, ThreatModel } from './plan.js';
import { PLAN, POLICY } from './samples.fixture.js';

describe('Epsilon', () => {
  it('reads a quotient as people write it', () => {
    expect(Epsilon.parse('2/255')).toBe(2 / 255);
    expect(Epsilon.parse('0.5/255')).toBe(0.5 / 255);
    expect(Epsilon.parse(0.03)).toBe(0.03);
  });

  it('gives the number that was meant, whichever way it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (over, under) => {
        expect(Epsilon.parse(`${over}/${under}`)).toBe(over / under);
        expect(Epsilon.parse(Epsilon.parse(over / under))).toBe(over / under);
      }),
    );
  });

  it.each([
    '',
    '2',
    '2/',
    '/255',
    '2/255/1',
    '-2/255',
    '2 / 255',
    '1e-2/1',
    '0x2/255',
    '2/0',
    '0/255',
    '0/0',
    'NaN',
  ])('refuses %j', (text) => {
    expect(Epsilon.safeParse(text).success).toBe(false);
  });

  it.each([0, -0.1, Number.NaN, Infinity, -Infinity, null, undefined, true, []])('refuses %s', (value) => {
    expect(Epsilon.safeParse(value).success).toBe(false);
  });
});

describe('ThreatModel', () => {
  it('refuses more than the whole pixel range: somebody means levels', () => {
    const parsed = ThreatModel.safeParse({ norm: 'linf', epsilon: 2 });
    expect(formatIssues(parsed.error!)).toEqual([
      'epsilon: must be a fraction of the pixel range, at most 1',
    ]);
    expect(ThreatModel.safeParse({ norm: 'linf', epsilon: '255/255' }).success).toBe(true);
    expect(ThreatModel.safeParse({ norm: 'l2', epsilon: '256/255' }).success).toBe(false);
    expect(ThreatModel.safeParse({ norm: 'l1', epsilon: 0.1 }).success).toBe(false);
  });
});

describe('EvaluationPlan', () => {
  it('completes what may be left out', () => {
    const plan = EvaluationPlan.parse(PLAN);
    expect(plan.priorSamples).toBe(1000);
    expect(plan.attacks[0]).toEqual({
      facets: 'all',
      objectives: ['direct', 'sfa'],
      searches: [{ name: 'fgsm' }, { name: 'pgd', steps: 10, restarts: 1 }],
      threats: [{ norm: 'linf', epsilon: 2 / 255 }],
    });
    expect(EvaluationPlan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it.each([
    ['samples', { samples: 0 }, 'samples: '],
    ['a shard', { shard: 0 }, 'shard: '],
    ['a batch', { batch: 2.5 }, 'batch: '],
    ['a seed below 2^32', { seed: 2 ** 32 }, 'seed: '],
    ['a seed that is a number', { seed: Number.NaN }, 'seed: '],
    ['attacks', { attacks: [] }, 'attacks: '],
    ['facets', { attacks: [{ ...PLAN.attacks[0], facets: [] }] }, 'attacks[0].facets'],
    [
      'known objectives',
      { attacks: [{ ...PLAN.attacks[0], objectives: ['direct', 'best'] }] },
      'attacks[0].objectives[1]: ',
    ],
  ])('must have %s, and says so', (_, change, message) => {
    const parsed = EvaluationPlan.safeParse({ ...PLAN, ...change });
    expect(formatIssues(parsed.error!).join('\n')).toContain(message);
  });
});

describe('Policy', () => {
  it('is the same after a round trip', () => {
    const policy = Policy.parse(POLICY);
    expect(policy.attacks[0].maxEpsilon).toBe(4 / 255);
    expect(Policy.parse(JSON.parse(JSON.stringify(policy)))).toEqual(policy);
  });

  it('takes rates as fractions only: 10 is no ten per cent', () => {
    expect(Policy.safeParse({ ...POLICY, clean: { maxAcer: 10 } }).success).toBe(false);
    expect(Policy.safeParse({ ...POLICY, clean: { maxAcer: Number.NaN } }).success).toBe(false);
    expect(Policy.safeParse({ ...POLICY, attacks: [{ maxAttackSuccessRate: 50 }] }).success).toBe(false);
  });
});

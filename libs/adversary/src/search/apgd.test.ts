import { NORMS, SearchConfig } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { checkpoints } from './apgd.js';
import { BentOracle, crossEntropyOracle, images, run, successes } from './oracles.fixture.js';

describe('checkpoints', () => {
  it('are those of the paper for a hundred steps', () => {
    expect(checkpoints(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
  });

  it('are distinct steps however few there are', () => {
    for (const steps of [1, 2, 5, 10, 33]) {
      const found = checkpoints(steps);
      expect(found).toEqual([...new Set(found)]);
      expect(found.every((step) => step >= 1 && step <= steps)).toBe(true);
    }
  });
});

describe('Auto-PGD', () => {
  const clean = images(8);
  const apgd = SearchConfig.parse({ name: 'apgd', steps: 40, stop: 'never' });

  it('steps alike on the margin and on the cross-entropy of two classes: the one rises with the other', async () => {
    for (const norm of NORMS) {
      const margin = await run(apgd, { clean, norm, oracle: new BentOracle() });
      const entropy = await run(apgd, { clean, norm, oracle: crossEntropyOracle() });
      expect(successes(entropy)).toBe(successes(margin));
      margin.scores.forEach((score, i) => expect(entropy.scores[i]).toBeCloseTo(score, 1));
    }
  });

  it('ends no worse than PGD with as many steps on a decision with ridges', async () => {
    const ridged = (): BentOracle =>
      new BentOracle(
        (x) => x + 0.02 * Math.sin(200 * x),
        (x) => 1 + 4 * Math.cos(200 * x),
      );
    const pgd = SearchConfig.parse({ name: 'pgd', steps: 40, stop: 'never' });
    const given = { clean, norm: 'linf', epsilon: 8 / 255 } as const;
    const [ours, theirs] = [
      await run(apgd, { ...given, oracle: ridged() }),
      await run(pgd, { ...given, oracle: ridged() }),
    ];
    const total = ({ scores, labels }: typeof ours): number =>
      scores.reduce((sum, score, i) => sum + (labels[i] === 0 ? -score : score), 0);
    expect(total(ours)).toBeGreaterThanOrEqual(total(theirs));
  });
});

import { needsGradient, OBJECTIVES, SearchConfig } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { largestChange, rootMeanSquare } from '../threat/budget.js';
import { dequantise } from '../threat/quantise.js';
import {
  BentOracle,
  fooled,
  images,
  type Oracle,
  run,
  SIZE,
  successes,
  unbeatable,
  withoutGradient,
} from './oracles.fixture.js';
import { lossOf, pursues, startsClean } from './presets.js';
import { shareOf } from './schedule.js';

const search = (config: object): SearchConfig => SearchConfig.parse(config);
const clean = images(8);
const row = (data: Uint8Array, i: number): Uint8Array => data.subarray(i * SIZE, (i + 1) * SIZE);

describe('step schedules', () => {
  it('begin with the whole step', () => {
    expect(['constant', 'cosine', 'halving'].map((name) => shareOf(name as 'cosine', 0, 8))).toEqual([
      1, 1, 1,
    ]);
    expect([0, 2, 4, 6, 7].map((step) => shareOf('halving', step, 8))).toEqual([1, 0.5, 0.25, 0.125, 0.125]);
    expect(shareOf('cosine', 4, 8)).toBeCloseTo(0.5, 12);
    expect(shareOf('constant', 7, 8)).toBe(1);
  });
});

describe('the minimal epsilon', () => {
  /** score = sum w (p - 1/2): a step of the whole budget along the signs moves it by epsilon sum |w|. */
  const linear = (): BentOracle =>
    new BentOracle(
      (x) => x,
      () => 1,
    );
  const weight = linear().weights.reduce((sum, w) => sum + Math.abs(w), 0);

  it('on L-infinity is the fewest levels that move a linear decision over its boundary', async () => {
    const scores = await linear().scores(dequantise(clean), 8);
    const labels = Uint8Array.from(scores, (score) => (score >= 0 ? 0 : 1));
    const config = search({ name: 'minimal-epsilon', search: { name: 'fgsm' }, rounds: 20 });
    const changes = { cleanScores: scores };
    const found = await run(config, { clean, oracle: linear(), epsilon: 60 / 255, labels, changes });
    expect(successes(found)).toBe(8);
    scores.forEach((score, i) => {
      const levels = 255 * largestChange(dequantise(row(found.images, i)), dequantise(row(clean, i)));
      const fewest = Math.abs(score) / (weight / 255);
      expect(Math.round(levels)).toBe(labels[i] === 0 ? Math.floor(fewest) + 1 : Math.ceil(fewest));
    });
  });

  it('on L2 comes within a few roundings of the distance to a linear boundary', async () => {
    const scores = await linear().scores(dequantise(clean), 8);
    const labels = Uint8Array.from(scores, (score) => (score >= 0 ? 0 : 1));
    const config = search({ name: 'minimal-epsilon', search: { name: 'fgsm' }, rounds: 10 });
    const changes = { cleanScores: scores };
    const given = { clean, oracle: linear(), norm: 'l2', epsilon: 60 / 255, labels, changes } as const;
    const found = await run(config, given);
    const norm = Math.sqrt(linear().weights.reduce((sum, w) => sum + w * w, 0));
    scores.forEach((score, i) => {
      const size = rootMeanSquare(dequantise(row(found.images, i)), dequantise(row(clean, i)));
      const distance = Math.abs(score) / norm / Math.sqrt(SIZE);
      expect(size).toBeGreaterThan(distance - 1e-6);
      expect(size).toBeLessThan(distance + 0.5 / 255);
    });
  });

  it('leaves the sample that no epsilon of the budget fools, and asks no more of it', async () => {
    const oracle = new BentOracle();
    const found = await run(search({ name: 'minimal-epsilon', search: { name: 'fgsm' } }), {
      clean,
      oracle,
      ...unbeatable(8),
    });
    expect(oracle.asked.gradients).toBe(8);
    expect(found.images).toEqual(clean);
  });
});

describe('searches without gradients', () => {
  it.each([
    ['linf', 0],
    ['linf', 1],
    ['l2', 0],
    ['l2', 1],
  ] as const)('come near to what gradients reach on %s, from side %i', async (norm, label) => {
    const epsilon = 12 / 255;
    const gain = async (config: object, oracle: Oracle): Promise<number> => {
      const { scores } = await run(search(config), { clean, norm, epsilon, oracle, ...unbeatable(8, label) });
      const before = await new BentOracle().scores(dequantise(clean), 8);
      return scores.reduce((sum, score, i) => sum + (score - before[i]) * (label === 0 ? -1 : 1), 0);
    };
    const most = await gain({ name: 'apgd', steps: 50 }, new BentOracle());
    const square = await gain({ name: 'square', queries: 1500 }, withoutGradient(new BentOracle()));
    expect(square).toBeGreaterThan(0.4 * most);
    expect(square).toBeLessThanOrEqual(1.001 * most);
  });

  it('ask no more than they may', async () => {
    for (const name of ['square', 'hop-skip-jump']) {
      const oracle = new BentOracle();
      const given = { clean, oracle: withoutGradient(oracle), ...unbeatable(8) };
      await run(search({ name, queries: 70 }), given);
      expect(oracle.asked.scores).toBeLessThanOrEqual(70 * 8);
    }
  });

  it('walk along the boundary from a donor of the shard where there is one', async () => {
    const scores = await new BentOracle().scores(dequantise(clean), 8);
    const other = (side: boolean): Uint8Array[] =>
      [...scores.keys()].filter((i) => scores[i] >= 0 === side).map((i) => row(clean, i));
    const given = {
      clean,
      epsilon: 30 / 255,
      changes: { donors: { live: other(true), spoof: other(false) } },
    };
    const found = await run(search({ name: 'hop-skip-jump', queries: 900 }), {
      ...given,
      oracle: withoutGradient(new BentOracle(), true),
    });
    expect(
      successes({ labels: found.labels, scores: await new BentOracle().scores(dequantise(found.images), 8) }),
    ).toBe(8);
  });
});

describe('auto', () => {
  it('finds what any of its parts finds', async () => {
    for (const levels of [2, 3, 4]) {
      const given = { clean, epsilon: levels / 255 };
      const whole = await run({ name: 'auto' }, given);
      for (const part of [{ name: 'apgd' }, { name: 'pgd' }, { name: 'square', queries: 200 }]) {
        const { scores, labels } = await run(search(part), given);
        labels.forEach((label, i) => {
          if (fooled(scores[i], label)) expect(fooled(whole.scores[i], label)).toBe(true);
        });
      }
    }
  });

  it('turns to scores where gradients vanish', async () => {
    const flat = new BentOracle(undefined, () => 0);
    const found = await run({ name: 'auto' }, { clean, oracle: flat, epsilon: 12 / 255 });
    expect(successes(found)).toBe(8);
    expect(
      (await run(search({ name: 'apgd' }), { clean, oracle: flat, epsilon: 3 / 255 })).images,
    ).toHaveLength(clean.length);
  });
});

describe('what a search can pursue', () => {
  const pursued = (config: object): string[] =>
    OBJECTIVES.filter((objective) => pursues(search(config), objective));

  it('is every objective by gradients, and the decision by scores, decisions, or a loss of its own', () => {
    expect(pursued({ name: 'pgd' })).toEqual([...OBJECTIVES]);
    expect(pursued({ name: 'minimal-epsilon' })).toEqual([...OBJECTIVES]);
    for (const name of ['square', 'hop-skip-jump', 'auto']) expect(pursued({ name })).toEqual(['direct']);
    expect(pursued({ name: 'apgd', loss: 'cross-entropy' })).toEqual(['direct']);
  });

  it('is known from its configuration', () => {
    const inner = { name: 'apgd', loss: 'cross-entropy' };
    expect(lossOf(search({ name: 'minimal-epsilon', search: inner }))).toBe('cross-entropy');
    expect(lossOf(search({ name: 'auto' }))).toBe('margin');
    expect(startsClean(search({ name: 'minimal-epsilon', search: { name: 'bim' } }))).toBe(true);
    expect(startsClean(search({ name: 'apgd' }))).toBe(false);
    expect(needsGradient(search({ name: 'minimal-epsilon', search: { name: 'square' } }))).toBe(false);
    expect(needsGradient(search({ name: 'minimal-epsilon', search: inner }))).toBe(true);
  });
});

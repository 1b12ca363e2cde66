import type { CleanScore } from '@facet/contracts';
import { Random } from '@facet/random';
import { describe, expect, it } from 'vitest';
import { judgedCell } from './cells.fixture.js';
import { compare, type Side } from './compare.js';
import type { JudgedCell } from './judge.js';

const OF = { model: { name: 'net', version: '1', sha256: 'a'.repeat(64) }, evaluation: 'before' };
const side = (cells: JudgedCell[], scoreOf: (live: boolean, i: number) => number): Side => ({
  cells,
  threshold: 0,
  known: new Map(
    cells[0].keys.map((key, i): [string, CleanScore] => {
      const live = i % 2 === 0;
      const labels = { species: null, illumination: null, attributes: null, subject: null };
      const label = live ? 'live' : 'spoof';
      return [key, { key, split: 'test', label, ...labels, score: scoreOf(live, i) }];
    }),
  ),
});
const good = (live: boolean): number => (live ? 1 : -1);
const compared = (now: Side, before: Side) => {
  const random = new Random(1);
  return compare(OF, now, before, () => random.uniform());
};

describe('compare', () => {
  it('finds no change between a model and itself, with no width, since it is paired', () => {
    const same = side([judgedCell('depth', 'sfa', 0.5)], good);
    const { samples, clean, cells } = compared(same, same);
    expect(samples).toBe(40);
    for (const change of [clean.accuracy, clean.auc, cells[0].attackSuccessRate, cells[0].robustAuc])
      expect(change).toMatchObject({ delta: 0, interval: [0, 0], change: 'within-noise' });
  });

  it('tells worse from better, by success and by what is left of the detector', () => {
    const weak = side([judgedCell('depth', 'sfa', 0.9)], good);
    const strong = side([judgedCell('depth', 'sfa', 0.2)], good);
    expect(compared(weak, strong).cells[0]).toMatchObject({
      attackSuccessRate: { baseline: 0.2, current: 0.9, change: 'worse' },
      robustAuc: { change: 'worse' },
    });
    expect(compared(strong, weak).cells[0].attackSuccessRate.change).toBe('better');
  });

  it('calls a few samples noise', () => {
    const [now, before] = [0.5, 0.525].map((rate) => side([judgedCell('depth', 'sfa', rate)], good));
    expect(compared(now, before).cells[0].attackSuccessRate).toMatchObject({ change: 'within-noise' });
  });

  it('judges clean decisions at the threshold of each model', () => {
    const cells = [judgedCell('depth', 'sfa', 0.5)];
    const worse = side(cells, (live, i) => (i < 20 ? -good(live) : good(live)));
    const { clean } = compared(worse, side(cells, good));
    expect(clean.accuracy).toMatchObject({ baseline: 1, current: 0.5, delta: -0.5, change: 'worse' });
    expect(clean.auc.change).toBe('worse');
  });

  it('is about the cells that both evaluations have, and the samples that both saw', () => {
    const both = judgedCell('depth', 'sfa', 0.5);
    const now = side([judgedCell('hair', 'sfa', 0.5), both], good);
    const half = 20;
    const before: JudgedCell = {
      ...both,
      keys: both.keys.slice(half).reverse(),
      live: both.live.slice(half).reverse(),
      bits: { attempted: both.bits.attempted.slice(half), fooled: new Uint8Array(half) },
      worstScores: both.worstScores.slice(half).reverse(),
    };
    const { samples, cells } = compared(now, { ...now, cells: [before] });
    expect(samples).toBe(half);
    expect(cells.map(({ facet }) => facet)).toEqual(['depth']);
    // Only the first half of the samples falls, which the baseline never saw.
    expect(cells[0].attackSuccessRate).toMatchObject({ current: 0, baseline: 0, delta: 0 });
    expect(cells[0].robustAuc.delta).toBe(0);
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cleanSummary } from './summary.js';
import { arbitrarySamples, attack, live } from './samples.fixture.js';

it('says everything at the threshold that it is given', () => {
  const samples = [live(0.9), live(0.6), attack(0.7), attack(0.1), attack(0.2, 'mask')];
  expect(cleanSummary(samples, 0.65)).toEqual({
    samples: 5,
    live: 2,
    spoof: 3,
    threshold: 0.65,
    accuracy: 3 / 5,
    apcer: 0.5,
    apcerBySpecies: { mask: { samples: 1, apcer: 0 }, print: { samples: 2, apcer: 0.5 } },
    bpcer: 0.5,
    acer: 0.5,
    hter: (1 / 3 + 1 / 2) / 2,
    eer: (1 / 3 + 1 / 2) / 2,
    auc: 5 / 6,
    bpcer10: 0.5,
    bpcer20: 0.5,
    bpcer100: 0.5,
    tprAtFpr: { '0.01': 2 / 3, '0.005': 2 / 3, '0.001': 2 / 3 },
  });
});

it('has nulls, and never NaN, where a class is empty', () => {
  fc.assert(
    fc.property(
      arbitrarySamples,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (samples, threshold) => {
        const summary = cleanSummary(samples, threshold);
        // JSON writes NaN as null: the round trip is the identity only where there is none.
        expect(JSON.parse(JSON.stringify(summary, (_, v: unknown) => (Object.is(v, -0) ? 0 : v)))).toEqual({
          ...summary,
          threshold: threshold + 0,
        });
        const complete = summary.live > 0 && summary.spoof > 0;
        expect([summary.acer, summary.hter, summary.eer, summary.auc].every((v) => v !== null)).toBe(
          complete,
        );
      },
    ),
  );
});

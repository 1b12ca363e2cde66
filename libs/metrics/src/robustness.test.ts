import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, apcer, bpcer } from './rates.js';
import { attackSuccess, robustSummary, worstCase, type Outcome } from './robustness.js';

const outcome = (live: boolean, cleanScore: number, adversarialScore: number, species?: string): Outcome => ({
  live,
  cleanScore,
  adversarialScore,
  ...(species === undefined ? {} : { species }),
});

const OUTCOMES = [
  outcome(true, 0.9, 0.1), // locked out
  outcome(true, 0.8, 0.5), // a tie is live: it stands
  outcome(true, 0.4, 0.9), // was wrong before: no attempt, and no credit
  outcome(false, 0.1, 0.5, 'print'), // let in, by a tie
  outcome(false, 0.2, 0.3, 'print'),
  outcome(false, 0.3, 0.7, 'mask'), // let in
  outcome(false, 0.6, 0.6, 'pad'), // was in before
];

describe('attackSuccess', () => {
  it('counts flips among the rightly decided, per direction and species', () => {
    expect(attackSuccess(OUTCOMES, 0.5)).toEqual({
      attempted: 5,
      succeeded: 3,
      rate: 3 / 5,
      directions: {
        spoofAsLive: { attempted: 3, succeeded: 2, rate: 2 / 3 },
        liveAsSpoof: { attempted: 2, succeeded: 1, rate: 1 / 2 },
      },
      bySpecies: {
        mask: { attempted: 1, succeeded: 1, rate: 1 },
        pad: { attempted: 0, succeeded: 0, rate: null },
        print: { attempted: 2, succeeded: 1, rate: 1 / 2 },
      },
    });
  });

  it('has no rate where nothing was attempted', () => {
    expect(attackSuccess([], 0.5).rate).toBeNull();
    expect(attackSuccess([outcome(true, 0, 0)], 0.5)).toMatchObject({
      attempted: 0,
      succeeded: 0,
      rate: null,
    });
  });

  it('refuses NaN and names the outcome', () => {
    const bad = [OUTCOMES[0], outcome(true, 1, NaN)];
    const error = new RangeError('outcome 1: adversarialScore is NaN');
    expect(() => attackSuccess(bad, 0.5)).toThrow(error);
    expect(() => robustSummary(bad, 0.5)).toThrow(error);
    expect(() => attackSuccess([outcome(false, NaN, 1)], 0.5)).toThrow('outcome 0: cleanScore is NaN');
    expect(() => attackSuccess([], NaN)).toThrow(new RangeError('threshold is NaN'));
  });
});

describe('robustSummary', () => {
  it('judges every sample at its worst score', () => {
    expect(robustSummary(OUTCOMES, 0.5)).toEqual({
      threshold: 0.5,
      accuracy: 2 / 7,
      apcer: 1,
      apcerBySpecies: {
        mask: { samples: 1, apcer: 1 },
        pad: { samples: 1, apcer: 1 },
        print: { samples: 2, apcer: 0.5 },
      },
      bpcer: 2 / 3,
      acer: (1 + 2 / 3) / 2,
      // Live at 0.1, 0.5, 0.4 against attacks at 0.5, 0.3, 0.7, 0.6.
      auc: (0 + 1.5 + 1) / 12,
    });
  });

  const score = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ noNaN: true }));
  const arbitraryOutcomes = fc.array(
    fc.record({
      live: fc.boolean(),
      cleanScore: score,
      adversarialScore: score,
      species: fc.constantFrom('print', 'mask', null),
    }),
    { maxLength: 30 },
  );

  it('its errors are the clean errors and the successes; it never beats the clean rates', () => {
    fc.assert(
      fc.property(arbitraryOutcomes, score, (outcomes, threshold) => {
        const clean = outcomes.map((o) => ({ ...o, score: o.cleanScore }));
        const robust = robustSummary(outcomes, threshold);
        const { attempted, succeeded, directions } = attackSuccess(outcomes, threshold);
        if (outcomes.length > 0) {
          expect(robust.accuracy! * outcomes.length).toBeCloseTo(attempted - succeeded, 9);
          expect(accuracy(clean, threshold)! * outcomes.length).toBeCloseTo(attempted, 9);
        }
        expect(robust.apcer ?? 0).toBeGreaterThanOrEqual(apcer(clean, threshold) ?? 0);
        expect(robust.bpcer ?? 0).toBeGreaterThanOrEqual(bpcer(clean, threshold) ?? 0);
        expect(directions.spoofAsLive.succeeded + directions.liveAsSpoof.succeeded).toBe(succeeded);
      }),
    );
  });

  it('an attack that changes nothing gives the clean scores', () => {
    fc.assert(
      fc.property(arbitraryOutcomes, (outcomes) => {
        const idle = outcomes.map((o) => ({ ...o, adversarialScore: o.cleanScore }));
        expect(worstCase(idle).map((s) => s.score)).toEqual(outcomes.map((o) => o.cleanScore));
      }),
    );
  });
});

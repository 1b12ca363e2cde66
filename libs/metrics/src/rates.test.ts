import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, acer, apcer, apcerBySpecies, bpcer, hter } from './rates.js';
import type { Sample } from './sample.js';
import { arbitrarySamples, attack, live } from './samples.fixture.js';

// At 0.5: one of four live samples is rejected; 1 of 10 prints and 1 of 2 masks get in.
const SAMPLES: Sample[] = [
  ...[0.9, 0.8, 0.5, 0.2].map(live),
  ...[0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1].map((score) => attack(score, 'print')),
  attack(0.5, 'mask'),
  attack(0.4, 'mask'),
];

describe('rates at a threshold', () => {
  it('agree with a count by hand', () => {
    expect(apcerBySpecies(SAMPLES, 0.5)).toEqual({
      mask: { samples: 2, apcer: 0.5 },
      print: { samples: 10, apcer: 0.1 },
    });
    expect(bpcer(SAMPLES, 0.5)).toBe(0.25);
    expect(acer(SAMPLES, 0.5)).toBe((0.5 + 0.25) / 2);
    expect(accuracy(SAMPLES, 0.5)).toBe(13 / 16);
  });

  it('take APCER from the worst species and pool attacks in HTER only', () => {
    expect(apcer(SAMPLES, 0.5)).toBe(0.5);
    expect(hter(SAMPLES, 0.5)).toBe((2 / 12 + 0.25) / 2);
  });

  it('accept a score that equals the threshold', () => {
    const tied = [live(0.5), attack(0.5)];
    expect([apcer(tied, 0.5), bpcer(tied, 0.5)]).toEqual([1, 0]);
    const justAbove = 0.5 + Number.EPSILON;
    expect([apcer(tied, justAbove), bpcer(tied, justAbove)]).toEqual([0, 1]);
  });

  it('charge accepted attacks to APCER and rejected live samples to BPCER', () => {
    const lenient = [live(0.9), live(0.8), attack(0.7), attack(0.6)];
    expect([apcer(lenient, 0.5), bpcer(lenient, 0.5)]).toEqual([1, 0]);
    const strict = [live(0.4), live(0.3), attack(0.2), attack(0.1)];
    expect([apcer(strict, 0.5), bpcer(strict, 0.5)]).toEqual([0, 1]);
  });

  it('depend on the threshold that they are given, not on the samples judged', () => {
    const separable = [live(0.3), attack(0.2)];
    expect(accuracy(separable, 0.25)).toBe(1);
    expect(accuracy(separable, 0.5)).toBe(0.5);
  });

  it('are null where their class is empty', () => {
    const noAttacks = [live(0.9)];
    expect(apcerBySpecies(noAttacks, 0.5)).toEqual({});
    expect([apcer, bpcer, acer, hter].map((rate) => rate(noAttacks, 0.5))).toEqual([null, 0, null, null]);
    const noLive = [attack(0.9)];
    expect([apcer, bpcer, acer, hter].map((rate) => rate(noLive, 0.5))).toEqual([1, null, null, null]);
    expect(accuracy([], 0.5)).toBeNull();
  });

  it('put attacks without a species into one of their own', () => {
    const unnamed = [
      { score: 1, live: false },
      { score: 0, live: false, species: null },
    ];
    expect(apcerBySpecies([...unnamed, attack(0, 'print')], 0.5)).toEqual({
      print: { samples: 1, apcer: 0 },
      unnamed: { samples: 2, apcer: 0.5 },
    });
  });

  it('keep a species whose name is a property of every object', () => {
    const odd = [attack(1, '__proto__'), attack(0, 'constructor')];
    expect(Object.entries(apcerBySpecies(odd, 0.5)).map(([species, s]) => [species, s.apcer])).toEqual([
      ['__proto__', 1],
      ['constructor', 0],
    ]);
  });

  it.each([
    ['accuracy', accuracy],
    ['acer', acer],
    ['apcer', apcer],
    ['bpcer', bpcer],
    ['hter', hter],
  ])('%s refuses NaN and names the sample', (_, rate) => {
    expect(() => rate([live(1), attack(NaN)], 0.5)).toThrow(new RangeError('sample 1: score is NaN'));
    expect(() => rate([attack(0), live(NaN)], 0.5)).toThrow(new RangeError('sample 1: score is NaN'));
    expect(() => rate(SAMPLES, NaN)).toThrow(new RangeError('threshold is NaN'));
  });

  it('pooled errors never exceed the worst species', () => {
    fc.assert(
      fc.property(arbitrarySamples, fc.double({ noNaN: true }), (samples, threshold) => {
        const attacks = samples.filter((s) => !s.live);
        const accepted = attacks.filter((s) => s.score >= threshold).length;
        const counts = Object.values(apcerBySpecies(samples, threshold)).map((s) => s.samples);
        expect(counts.reduce((sum, n) => sum + n, 0)).toBe(attacks.length);
        if (attacks.length > 0)
          expect(accepted / attacks.length).toBeLessThanOrEqual(apcer(samples, threshold)! + 1e-12);
      }),
    );
  });
});

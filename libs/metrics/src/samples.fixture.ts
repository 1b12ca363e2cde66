/** What the tests of this package build samples from. Scores are few, so that ties are common. */
import fc from 'fast-check';
import type { Sample } from './sample.js';

export const live = (score: number): Sample => ({ score, live: true });
export const attack = (score: number, species = 'print'): Sample => ({ score, live: false, species });

const arbitrarySample: fc.Arbitrary<Sample> = fc.record({
  score: fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    fc.constantFrom(-Infinity, Infinity, -0, 0),
  ),
  live: fc.boolean(),
  species: fc.constantFrom('print', 'replay', 'mask'),
});

export const arbitrarySamples = fc.array(arbitrarySample, { maxLength: 40 });

/** Both classes occur. */
export const arbitraryTwoClasses = arbitrarySamples.filter(
  (samples) => samples.some((s) => s.live) && samples.some((s) => !s.live),
);

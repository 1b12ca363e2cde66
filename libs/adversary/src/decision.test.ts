import type { ModelOutput } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { boundaryOf, scoresOf } from './decision.js';

const scores = (output: ModelOutput, values: number[], n: number): number[] => [
  ...scoresOf(output, Float32Array.from(values), n),
];

describe('scoresOf', () => {
  it('is the log-odds of the live classes of logits', () => {
    const two: ModelOutput = { kind: 'logits', name: 'y', classes: 2, live: [0] };
    expect(scores(two, [2, -1, 0, 5], 2)).toEqual([3, -5]);
    const three: ModelOutput = { kind: 'logits', name: 'y', classes: 3, live: [1] };
    expect(scores(three, [0, Math.log(2), 0], 1)[0]).toBeCloseTo(0, 6);
  });

  it('does not saturate where a softmax would', () => {
    const two: ModelOutput = { kind: 'logits', name: 'y', classes: 2, live: [0] };
    expect(scores(two, [500, -500], 1)).toEqual([1000]);
  });

  it('reads probabilities, single numbers and maps, high for live', () => {
    expect(
      scores({ kind: 'probabilities', name: 'p', classes: 2, live: [1] }, [0.25, 0.75], 1)[0],
    ).toBeCloseTo(Math.log(3), 6);
    expect(scores({ kind: 'logit', name: 'z', high: 'spoof' }, [2, -1], 2)).toEqual([-2, 1]);
    expect(scores({ kind: 'sigmoid', name: 's', high: 'spoof' }, [0.75], 1)[0]).toBeCloseTo(-Math.log(3), 6);
    expect(scores({ kind: 'map', name: 'm', high: 'live' }, [0, 1, 1, 1], 1)).toEqual([0.75]);
  });

  it('refuses a tensor that is not what the manifest promises', () => {
    expect(() => scores({ kind: 'logits', name: 'y', classes: 2, live: [0] }, [1, 2, 3], 1)).toThrow(
      /3 values/,
    );
  });

  it('has a boundary at even odds, and at half for maps', () => {
    expect(boundaryOf({ kind: 'sigmoid', name: 's', high: 'live' })).toBe(0);
    expect(boundaryOf({ kind: 'map', name: 'm', high: 'spoof' })).toBe(-0.5);
  });
});

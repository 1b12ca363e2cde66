import { describe, expect, it } from 'vitest';
import { meanInterval } from './student.js';

describe('meanInterval', () => {
  it("is Student's for a few values", () => {
    // Mean 2, standard deviation 1, t = 4.3027 with two degrees of freedom: 4.3027 / sqrt(3) = 2.4842.
    const [low, high] = meanInterval([1, 2, 3])!;
    expect(low).toBeCloseTo(2 - 2.4842, 3);
    expect(high).toBeCloseTo(2 + 2.4842, 3);
  });

  it('is nothing for a single value, and has no width for equal ones', () => {
    expect(meanInterval([1])).toBeNull();
    expect(meanInterval([])).toBeNull();
    expect(meanInterval([2, 2])).toEqual([2, 2]);
  });

  it('comes near the normal interval of many', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2);
    const [low, high] = meanInterval(values)!;
    expect(high - low).toBeCloseTo((2 * 1.96 * 0.5) / 20, 2);
  });
});

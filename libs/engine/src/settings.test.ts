import { availableParallelism, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { settingsOf } from './settings.js';

const MIB = 2 ** 20;

describe('settings', () => {
  it('are those of the machine, unless the environment says otherwise', () => {
    const { threads, memoryBytes } = settingsOf({});
    expect(threads).toBe(availableParallelism());
    expect(memoryBytes).toBeGreaterThan(0);
    expect(memoryBytes).toBeLessThan(totalmem());
    expect(settingsOf({ FACET_THREADS: '3', FACET_MEMORY_MIB: '512' })).toEqual({
      threads: 3,
      memoryBytes: 512 * MIB,
    });
  });

  it.each([
    ['FACET_THREADS', '0', 1],
    ['FACET_THREADS', 'all', 1],
    ['FACET_THREADS', '1.5', 1],
    ['FACET_MEMORY_MIB', '63', 64],
    ['FACET_MEMORY_MIB', '4GiB', 64],
  ])('name the variable that is wrong: %s=%s', (name, text, least) => {
    expect(() => settingsOf({ [name]: text })).toThrow(
      `${name} is "${text}"; it must be a whole number from ${least} on`,
    );
  });
});

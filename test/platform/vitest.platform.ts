// Not vitest.config.ts, by which Nx would make it a part of `npm test`: it needs servers that only this test needs.
import { configDefaults, mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.js';
import { KEDA_TESTS } from './vitest.keda.js';

export default mergeConfig(shared, {
  root: import.meta.dirname,
  // One after the other: each starts more servers than there are cores.
  test: { testTimeout: 60_000, fileParallelism: false, exclude: [...configDefaults.exclude, KEDA_TESTS] },
});

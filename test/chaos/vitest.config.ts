import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.js';

// Whole runs use every core; one after the other.
export default mergeConfig(shared, {
  root: import.meta.dirname,
  test: { fileParallelism: false, testTimeout: 900_000, hookTimeout: 900_000 },
});

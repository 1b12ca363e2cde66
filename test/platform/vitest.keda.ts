// By hand alone: see record 21 in docs/adr.
import { defineConfig } from 'vitest/config';
import shared from '../../vitest.shared.js';

export const KEDA_TESTS = 'src/keda.test.ts';

export default defineConfig({
  ...shared,
  root: import.meta.dirname,
  // Longer than each thing that a test waits for.
  test: { ...shared.test, include: [KEDA_TESTS], testTimeout: 120_000, hookTimeout: 120_000 },
});

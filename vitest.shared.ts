// What every project's vitest.config.ts stands on: tests read our own packages from their sources.
import { defineConfig } from 'vitest/config';

// Ours, then Node's own; Vite and Node add `import` or `require` by themselves, and with `import` always on a CommonJS package
// that requires another would get a module. Not `module`, which Node does not know: under it packages offer files for
// bundlers alone.
const conditions = ['@facet/source', 'node', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    // ONNX Runtime reads it when it is loaded; tests send nothing to anybody.
    // Nx forces colours; what a test's own child prints is read by the test, and must be plain.
    env: { ORT_DISABLE_TELEMETRY: '1', FORCE_COLOR: '0' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    reporters: ['default', ['json', { outputFile: 'test-results/results.json' }]],
  },
});

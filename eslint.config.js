// One lint for the whole workspace. The boundaries below are the architecture: data flows one way.
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/**
 * Which layer may stand on which. A package names its layer in its package.json under `nx.tags`.
 * ground: stands on nothing of ours. domain: knows the field, no runtime and no I/O. platform: knows
 * processes, messages and storage, not the field's algorithms. backend: runs the domain's ports on a compute
 * library. service: a handler, never on another service. app: puts everything into one process. test: looks from outside.
 */
const LAYERS = {
  ground: [],
  domain: ['ground', 'domain'],
  platform: ['ground', 'platform'],
  backend: ['ground', 'domain', 'platform'],
  service: ['ground', 'domain', 'platform', 'backend'],
  app: ['ground', 'domain', 'platform', 'backend', 'service'],
  test: ['ground', 'domain', 'platform', 'backend', 'service', 'app'],
};

const depConstraints = Object.entries(LAYERS).map(([layer, below]) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: below.map((name) => `layer:${name}`),
}));

export default tseslint.config(
  { ignores: ['**/dist', '**/out-tsc', '**/generated', '**/node_modules', '**/facet-out', '.nx'] },
  js.configs.recommended,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strict, ...tseslint.configs.stylistic],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: true, allow: [], depConstraints },
      ],
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@facet/*/**'], message: 'A package is its index; nobody imports deeper.' }] },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/prefer-for-of': 'off',
    },
  },
  // Configuration files reach up to the workspace's shared ones; they are part of no package.
  { files: ['**/vitest.*.ts'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        TextDecoderStream: 'readonly',
      },
    },
  },
  {
    files: ['**/package.json'],
    languageOptions: { parser: jsonc },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ignoredFiles: [
            '{projectRoot}/vitest.*.ts',
            '{projectRoot}/src/**/*.test.ts',
            '{projectRoot}/src/**/*.fixture.ts',
          ],
          checkVersionMismatches: false,
        },
      ],
    },
  },
);

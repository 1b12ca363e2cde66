// Makes a new library or service, so that the tenth looks like the first.
//   npm run new -- lib NAME --layer ground|domain|platform|backend --about "what it owns"
//   npm run new -- service NAME --about "what it owns"
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIBRARY_LAYERS = ['ground', 'domain', 'platform', 'backend'];
const USAGE = `usage: npm run new -- lib NAME --layer ${LIBRARY_LAYERS.join('|')} --about "what it owns"
       npm run new -- service NAME --about "what it owns"`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { layer: { type: 'string' }, about: { type: 'string' } },
});
const [kind, name] = positionals;
const layer = kind === 'service' ? (values.layer ?? 'service') : values.layer;
if (
  !['lib', 'service'].includes(kind) ||
  !/^[a-z][a-z0-9-]*$/.test(name ?? '') ||
  !values.about ||
  !(kind === 'service' || LIBRARY_LAYERS.includes(layer))
) {
  console.error(USAGE);
  process.exit(1);
}

const folder = join(ROOT, kind === 'lib' ? 'libs' : 'services', name);
if (existsSync(folder)) {
  console.error(`${folder} exists already; nothing was written`);
  process.exit(1);
}

/** Tests, and what only tests use: part of no build. */
const TEST_SOURCES = ['src/**/*.test.ts', 'src/**/*.fixture.ts'];

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const exportsOfSource = {
  '.': {
    '@facet/source': './src/index.ts',
    types: './dist/index.d.ts',
    default: './dist/index.js',
  },
  './package.json': './package.json',
};

const files = {
  'package.json': json({
    name: `@facet/${name}`,
    version: '0.1.0',
    private: true,
    description: values.about,
    license: 'Apache-2.0',
    type: 'module',
    exports: exportsOfSource,
    nx: { tags: [`layer:${layer}`] },
    dependencies: {},
  }),
  'tsconfig.json': json({
    extends: '../../tsconfig.base.json',
    files: [],
    include: [],
    references: [{ path: './tsconfig.lib.json' }, { path: './tsconfig.spec.json' }],
  }),
  'tsconfig.lib.json': json({
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/tsconfig.lib.tsbuildinfo' },
    include: ['src/**/*.ts'],
    exclude: TEST_SOURCES,
    references: [],
  }),
  'tsconfig.spec.json': json({
    extends: '../../tsconfig.base.json',
    compilerOptions: { outDir: 'out-tsc', tsBuildInfoFile: 'out-tsc/tsconfig.spec.tsbuildinfo' },
    include: TEST_SOURCES,
    references: [{ path: './tsconfig.lib.json' }],
  }),
  'vitest.config.ts': `import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.js';

export default mergeConfig(shared, { root: import.meta.dirname });
`,
  'src/index.ts': `// ${values.about}\nexport {};\n`,
};

for (const [path, text] of Object.entries(files)) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}
console.log(`${folder} is made. Next: npm install (links it), then npx nx sync (project references).`);

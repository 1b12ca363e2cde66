/** The architecture holds: an import against it does not pass lint, wherever it is planted. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const RULES = ['@nx/enforce-module-boundaries', 'no-restricted-imports'];

let eslint: ESLint;
beforeAll(() => {
  // A background process would outlive the test.
  process.env['NX_DAEMON'] = 'false';
  eslint = new ESLint({ cwd: ROOT });
});

/** What the rules say of a file in `folder` that imports `from` and nothing else. */
async function refusals(folder: string, from: string): Promise<string[]> {
  const text = `import { thing } from '${from}';\nexport const other = thing;\n`;
  const [{ messages }] = await eslint.lintText(text, { filePath: join(ROOT, folder, 'src/planted.ts') });
  expect(messages.filter(({ fatal }) => fatal)).toEqual([]);
  return messages.filter(({ ruleId }) => RULES.includes(ruleId ?? '')).map(({ message }) => message);
}

describe('an import', () => {
  it.each([
    ['of a platform by the ground', 'libs/onnx', '@facet/store', 'layer:ground'],
    ['of a sibling by the words of the field', 'libs/contracts', '@facet/random', 'layer:ground'],
    ['of a backend by the domain', 'libs/adversary', '@facet/engine', 'Circular dependency'],
    ['of a platform by the domain', 'libs/learning', '@facet/store', 'layer:domain'],
    ['of the domain by a platform', 'libs/runtime', '@facet/adversary', 'layer:platform'],
    ['of a backend by its equal', 'libs/tensorflow', '@facet/engine', 'layer:backend'],
    ['of a service by another one', 'services/attacks', '@facet/evaluation', 'layer:service'],
    ['of the app by a service', 'services/training', '@facet/cli', 'Circular dependency'],
  ])('%s is refused', async (_, folder, from, reason) => {
    expect(await refusals(folder, from)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    ['deeper than the package by its folder', 'libs/adversary', '@facet/onnx/dist/index.js'],
    ['deeper than the package into its source', 'libs/adversary', '@facet/onnx/src/builder.js'],
    ['by a path into another package', 'libs/adversary', '../../onnx/src/index.js'],
    ['by a path into another service', 'services/attacks', '../../evaluation/src/index.js'],
  ])('%s is refused', async (_, folder, from) => {
    expect(await refusals(folder, from)).toHaveLength(1);
  });

  it.each([
    ['libs/adversary', '@facet/onnx'],
    ['libs/catalog', '@facet/contracts'],
    ['libs/engine', '@facet/adversary'],
    ['services/attacks', '@facet/engine'],
    ['services/cli', '@facet/attacks'],
    ['test/e2e', '@facet/cli'],
    ['libs/onnx', './builder.js'],
  ])('from above passes: %s of %s', async (folder, from) => {
    expect(await refusals(folder, from)).toEqual([]);
  });
});

describe('every package', () => {
  it('stands in exactly one layer', async () => {
    const tags = await Promise.all(
      ['libs', 'services', 'test'].map(async (group) => {
        const names = await readdir(join(ROOT, group), { withFileTypes: true });
        return Promise.all(
          names
            .filter((entry) => entry.isDirectory())
            .map(async ({ name }) => {
              const text = await readFile(join(ROOT, group, name, 'package.json'), 'utf8');
              const { nx } = JSON.parse(text) as { nx?: { tags?: string[] } };
              return [`${group}/${name}`, (nx?.tags ?? []).filter((tag) => tag.startsWith('layer:')).length];
            }),
        );
      }),
    );
    expect(tags.flat().length).toBeGreaterThan(15);
    expect(tags.flat().filter(([, count]) => count !== 1)).toEqual([]);
  });
});

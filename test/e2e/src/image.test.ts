/** What the images hold, started from an empty folder with nothing but Node. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { prune } from '@facet/images';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scratch } from './facet.js';
import { networkOf } from './inputs.fixture.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
});
afterAll(() => folder.remove());

it('the command line and all that it computes with start from its image', async () => {
  const { platform, arch } = process;
  const out = folder.path('app');
  const { packages } = await prune({ root: ROOT, service: 'cli', out, platform, arch });
  expect(packages.some((name) => name.startsWith('onnxruntime-node@'))).toBe(true);
  // Of what we are built and tested with nothing is left.
  expect(packages.filter((name) => /^(typescript|vitest|nx|eslint|@types\/node)@/.test(name))).toEqual([]);
  await writeFile(folder.path('model.onnx'), networkOf(16).model);
  const told = execFileSync(process.execPath, [folder.path('app', 'main.mjs'), 'inspect', 'model.onnx'], {
    cwd: folder.path(),
    env: {},
    encoding: 'utf8',
  });
  expect(told).toContain('opset');
});

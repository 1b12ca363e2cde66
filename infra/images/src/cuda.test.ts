/** The layout of the GPU image, by ONNX Runtime's own list; the provider itself is no npm package and stays empty here. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cudaFiles } from './cuda.js';

const INSTALLED = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
const PACKAGE = 'node_modules/onnxruntime-node';
const BINDING = `${PACKAGE}/bin/napi-v6/linux/x64`;
const PROVIDERS = ['cuda', 'shared', 'tensorrt'].map((name) => `libonnxruntime_providers_${name}.so`);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facet-cuda-'));
  await mkdir(join(folder, BINDING), { recursive: true });
  await cp(join(INSTALLED, 'script'), join(folder, PACKAGE, 'script'), { recursive: true });
  await cp(join(INSTALLED, 'package.json'), join(folder, PACKAGE, 'package.json'));
});
afterEach(() => rm(folder, { recursive: true }));

it('are those that ONNX Runtime would fetch, beside its binding', async () => {
  for (const name of PROVIDERS) await writeFile(join(folder, BINDING, name), '');
  expect(cudaFiles(folder)).toEqual(PROVIDERS.map((name) => `${BINDING}/${name}`));
});

it('are missed by name, with what brings them', async () => {
  await writeFile(join(folder, BINDING, PROVIDERS[0]), '');
  expect(() => cudaFiles(folder)).toThrow(
    `${BINDING}/libonnxruntime_providers_shared.so is missing, without which it would compute on the CPU; before pruning run`,
  );
});

it('are not looked for in a service that computes nothing', async () => {
  await rm(join(folder, PACKAGE), { recursive: true });
  expect(() => cudaFiles(folder)).toThrow('holds no onnxruntime-node');
});

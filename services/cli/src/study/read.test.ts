import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networksOf } from './networks.js';
import { readStudy } from './read.js';

const STUDY = `
schema: facet.study/v1
name: own
backbones: [resnet-small, swin-micro]
features: [[]]
seeds: [3]
dataset: { size: 16, samples: { train: 64, dev: 16, test: 16 } }
recipe:
  epochs: 2
  batch: 16
  parts: 1
  learningRate: 0.1
  optimiser: { kind: sgd }
  warmupSteps: 7
  lossWeights: { depth: 4 }
recipes:
  swin-micro: { learningRate: 0.001, optimiser: { kind: adamw, weightDecay: 0.05 } }
plan: { schema: facet.plan/v1, extends: quick, name: own }
`;

let folder: string;
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facet-study-'));
  await writeFile(file('own.yaml'), STUDY);
  await writeFile(file('bad.yaml'), STUDY.replace('learningRate: 0.001', 'learningRate: -1'));
  await writeFile(file('unknown.yaml'), STUDY.replace('swin-micro: {', 'swin-nano: {'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a backbone with a recipe of its own', () => {
  it('takes what it does not name from the common one', async () => {
    const [resnet, swin] = networksOf(await readStudy(file('own.yaml'))).map(({ recipe }) => recipe);
    const shared = { epochs: 2, batch: 16, warmupSteps: 7, lossWeights: { depth: 4 }, seed: 3 };
    expect(resnet).toMatchObject({ ...shared, learningRate: 0.1, optimiser: { kind: 'sgd' } });
    expect(swin).toMatchObject({
      ...shared,
      learningRate: 0.001,
      optimiser: { kind: 'adamw', beta2: 0.999 },
    });
  });

  it('is refused by the field of the document', async () => {
    await expect(readStudy(file('bad.yaml'))).rejects.toThrow('bad.yaml: recipes.swin-micro.learningRate: ');
    await expect(readStudy(file('unknown.yaml'))).rejects.toThrow(/unknown\.yaml: recipes.*swin-nano/);
  });
});

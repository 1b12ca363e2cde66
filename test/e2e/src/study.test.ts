/** The study from outside, as small as it can be: killed in the middle, it goes on and answers. */
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { StudyReport } from '@facet/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';

const STUDY = `
schema: facet.study/v1
name: tiny
backbones: [resnet-small]
features: [[], [depth]]
seeds: [0, 1]
dataset: { size: 16, samples: { train: 64, dev: 16, test: 16 } }
recipe:
  { epochs: 1, batch: 16, parts: 1, learningRate: 0.05, optimiser: { kind: sgd }, warmupSteps: 0 }
plan:
  schema: facet.plan/v1
  extends: quick
  name: tiny
  samples: 8
  batch: 8
  shard: 8
  priorSamples: 64
  attacks:
    - objectives: [direct, facet, sfa]
      searches: [{ name: fgsm }]
      threats: [{ norm: linf, epsilon: 4/255 }]
`;

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
  await writeFile(folder.path('study.yaml'), STUDY);
});
afterAll(() => folder.remove());

describe('facet study', () => {
  it('goes on where it was killed, and ends in a ranking that says what is noise', async () => {
    const args = ['study', '--study', folder.path('study.yaml'), '--out', folder.path('out')];
    const killed = await facet(args, { killWhen: /networks: 1\/4/ });
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(folder.path('out', 'study.json'))).toBe(false);
    const manifest = folder.path('out', 'store', 'datasets', 'study-faces');
    const before = await stat(manifest);

    const { code, stdout, stderr } = await facet(args);
    expect(code, stderr).toBe(0);
    expect((await stat(manifest)).mtimeMs).toBe(before.mtimeMs);
    const report = StudyReport.parse(JSON.parse(await readFile(folder.path('out', 'study.json'), 'utf8')));
    expect(report.networks.map(({ features, seed }) => [features, seed])).toEqual([
      ['none', 0],
      ['depth', 0],
      ['none', 1],
      ['depth', 1],
    ]);
    expect(report.networks.filter(({ figures }) => figures.facet !== null)).toHaveLength(2);
    expect(report.combinations.map(({ vulnerability }) => vulnerability?.values.length)).toEqual([2, 2]);
    expect(report.notes).toEqual([
      expect.stringContaining('two seeds'),
      expect.stringContaining('4 of 4 networks'),
    ]);
    expect(stdout).toContain('resnet-small');
    const page = await readFile(folder.path('out', 'study.html'), 'utf8');
    expect(page).toContain('Which backbone, which auxiliary feature?');
    expect(page).not.toMatch(/<script|https?:/);
  });

  it('stands adversarial trainings side by side, under another camera and against unseen species, too', async () => {
    const file = folder.path('defences.yaml');
    const defences = `
features: [[depth]]
seeds: [0]
dataset: { size: 16, samples: { train: 64, dev: 16, test: 32 }, heldOut: [pad] }
defences: { none: null, direct: { threat: { norm: linf, epsilon: 4/255 } } }
`;
    await writeFile(file, STUDY.replace(/^(features|seeds|dataset):.*\n/gm, '') + defences);
    const { code, stdout, stderr } = await facet([
      'study',
      '--study',
      file,
      '--out',
      folder.path('defences'),
    ]);
    expect(code, stderr).toBe(0);
    const report = StudyReport.parse(
      JSON.parse(await readFile(folder.path('defences', 'study.json'), 'utf8')),
    );
    expect(report.defences.map(({ defence }) => defence)).toEqual(['none', 'direct']);
    for (const { clean, shifted, unseen, attacked, sfa } of report.defences)
      for (const figure of [clean, shifted, unseen, attacked[0].auc, attacked[0].success, sfa])
        expect(figure?.values).toHaveLength(1);
    expect(stdout).toContain('unseen species');
  });

  it('refuses a study by file and field', async () => {
    const file = folder.path('bad.yaml');
    await writeFile(file, STUDY.replace('resnet-small', 'resnet-tiny').replace('[0, 1]', '[]'));
    const { code, stderr } = await facet(['study', '--study', file, '--out', folder.path('none')]);
    expect(code).toBe(1);
    expect(stderr).toContain('bad.yaml: backbones[0]: ');
    expect(stderr).toContain('bad.yaml: seeds: ');
    expect(existsSync(folder.path('none'))).toBe(false);
  });
});

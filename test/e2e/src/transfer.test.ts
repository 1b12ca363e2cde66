/** Transfer from outside: two models of unlike sizes and crops on the same photographs. */
import { readFile } from 'node:fs/promises';
import { TransferReport } from '@facet/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';
import { facesOf, networkOf, writeFiles } from './inputs.fixture.js';

const PLAN = {
  schema: 'facet.plan/v1',
  extends: 'transfer',
  name: 'small',
  samples: 8,
  batch: 8,
  shard: 4,
  attacks: [
    {
      facets: ['live'],
      objectives: ['direct'],
      searches: [{ name: 'pgd', steps: 4, stop: 'never' }],
      threats: [{ norm: 'linf', epsilon: '8/255' }],
    },
  ],
};

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
  const { dataset, images } = await facesOf(24, { train: 0, dev: 8, test: 8 });
  const models = Object.fromEntries(
    [16, 32].flatMap((size) => {
      const { model, manifest } = networkOf(size);
      const named = { ...manifest, name: `net-${size}` };
      return [
        [`${size}.onnx`, model],
        [`${size}.json`, named],
      ];
    }),
  );
  await writeFiles(folder.path(), { ...models, 'plan.yaml': PLAN, 'faces/dataset.json': dataset });
  await writeFiles(folder.path('faces'), images);
});
afterAll(() => folder.remove());

const run = (models: readonly number[], manifests: readonly number[]) =>
  facet([
    'transfer',
    ...['--model', ...models.map((size) => folder.path(`${size}.onnx`))],
    ...['--manifest', ...manifests.map((size) => folder.path(`${size}.json`))],
    ...['--dataset', folder.path('faces'), '--plan', folder.path('plan.yaml'), '--out', folder.path('out')],
  ]);

describe('facet transfer', () => {
  it('judges by every model what was crafted on each, whatever size it sees', async () => {
    const { code, stdout, stderr } = await run([16, 32], [16, 32]);
    expect(code, stderr).toBe(0);
    const report = TransferReport.parse(
      JSON.parse(await readFile(folder.path('out', 'transfer.json'), 'utf8')),
    );
    expect(report.models.map(({ name }) => name)).toEqual(['net-16', 'net-32']);
    expect(report.matrices).toHaveLength(1);
    const [{ success, cell }] = report.matrices;
    expect(success.map((row) => row.length)).toEqual([2, 2]);
    // The judge's own right decisions are the same whoever crafted the images.
    expect(success[0][0].attempted).toBe(success[1][0].attempted);
    expect(success[0][1].attempted).toBe(success[1][1].attempted);
    // The diagonal is what the model's own evaluation found.
    for (const [i, { evaluation }] of report.models.entries()) {
      const file = folder.path('out', 'store', 'evaluations', evaluation, 'report.json');
      const { cells } = JSON.parse(await readFile(file, 'utf8')) as {
        cells: { id: string; attempted: number; succeeded: number }[];
      };
      const own = cells.find(({ id }) => id === cell)!;
      expect(success[i][i]).toMatchObject({ attempted: own.attempted, succeeded: own.succeeded });
    }
    expect(stdout).toContain('crafted on');
    expect(await readFile(folder.path('out', 'transfer.html'), 'utf8')).toContain(
      'Crafted on one, judged by all',
    );
  });

  it.each([
    ['one model', [16], [16], 'two models or more'],
    ['a manifest too few', [16, 32], [16], 'is given 1 times, for 2 models'],
    ['a model twice', [16, 16], [16, 16], 'net-16@1 is given twice'],
  ])('refuses %s', async (_, models, manifests, says) => {
    const { code, stderr } = await run(models, manifests);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });
});

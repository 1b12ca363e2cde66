/** A model whose decision has no gradient is attacked by its scores, and the report says what was not possible. */
import { readFile } from 'node:fs/promises';
import { Report } from '@facet/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';
import { bare, deciding, plan, SIZE } from './given.fixture.js';
import { facesOf, writeFiles } from './inputs.fixture.js';

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
});
afterAll(() => folder.remove());

it('is evaluated by square, hop-skip-jump and auto; what follows gradients is left out and named', async () => {
  const faces = await facesOf(SIZE, { train: 0, dev: 0, test: 4 });
  const searches = [
    { name: 'pgd', steps: 2 },
    { name: 'square', queries: 40 },
    { name: 'hop-skip-jump', queries: 200 },
    { name: 'auto' },
  ];
  const threats = [{ norm: 'linf', epsilon: '16/255' }];
  await writeFiles(folder.path(), {
    'model.onnx': deciding('Round'),
    'manifest.json': bare,
    'plan.json': { ...plan, attacks: [{ facets: ['live'], objectives: ['direct'], searches, threats }] },
    'faces/dataset.json': faces.dataset,
  });
  await writeFiles(folder.path('faces'), faces.images);
  const given = {
    model: 'model.onnx',
    manifest: 'manifest.json',
    dataset: 'faces',
    plan: 'plan.json',
    out: 'out',
  };
  const options = Object.entries(given).flatMap(([name, file]) => [`--${name}`, folder.path(file)]);
  const { code, stderr } = await facet(['evaluate', ...options]);
  expect(code, stderr).toBe(0);
  const { cells, notes } = Report.parse(
    JSON.parse(await readFile(folder.path('out', 'report.json'), 'utf8')),
  );
  expect(cells.map(({ search }) => search)).toEqual(['square-40', 'hop-skip-jump-200', 'auto']);
  expect(notes.join('\n')).toMatch(/not possible on live \(node '.*' \(Round\)\): they are left out/);
});

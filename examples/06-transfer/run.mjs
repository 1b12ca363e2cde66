// Attacks each of two networks, and has the other judge what was made against it.
import { join } from 'node:path';
import { facet, OUT, percent, readJson, studyFiles } from '../facet.mjs';

const { models, dataset } = studyFiles();
const out = join(OUT, 'transfer');
facet(
  'transfer',
  ...['--model', ...models.map(({ model }) => model)],
  ...['--manifest', ...models.map(({ manifest }) => manifest)],
  ...['--dataset', dataset(), '--plan', join(import.meta.dirname, 'plan.yaml'), '--out', out],
);
for (const { search, success } of readJson(join(out, 'transfer.json')).matrices)
  success.forEach((row, from) =>
    row.forEach(({ rate }, to) => {
      const [source, judge] = [models[from].features, models[to].features];
      console.log(`${search}: made on ${source}, judged by ${judge}: ${percent(rate)} fall`);
    }),
  );

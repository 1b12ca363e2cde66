// Attacks one decision by several searches, and says what each of them reached.
import { join } from 'node:path';
import { demoFiles, facet, OUT, percent, readJson } from '../facet.mjs';

const { model, manifest, dataset } = demoFiles();
const out = join(OUT, 'searches');
facet(
  'evaluate',
  ...['--model', model, '--manifest', manifest, '--dataset', dataset],
  ...['--plan', join(import.meta.dirname, 'plan.yaml'), '--out', out],
);
for (const { search, attackSuccessRate } of readJson(join(out, 'report.json')).cells)
  console.log(`${search}: ${percent(attackSuccessRate)} of the right decisions fall`);

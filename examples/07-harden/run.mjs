// Hardens the network of example 1, and says what it cost and what it bought.
import { join } from 'node:path';
import { facet, OUT, percent, readJson } from '../facet.mjs';

const demo = join(OUT, 'demo');
facet('demo', '--quick', '--out', demo);
facet(
  'harden',
  'demo@quick-seed-0',
  ...['--recipe', join(import.meta.dirname, 'recipe.yaml'), '--plan', join(import.meta.dirname, 'plan.yaml')],
  ...['--out', demo],
);
for (const { name, clean, attacks } of readJson(join(demo, 'harden.json')).splits)
  for (const { epsilon, parent, hardened } of attacks)
    console.log(
      `${name}: at ${Math.round(255 * epsilon)}/255 ${percent(parent.success)} -> ${percent(hardened.success)}, ` +
        `AUC ${clean.parent.auc.toFixed(3)} -> ${clean.hardened.auc.toFixed(3)}`,
    );

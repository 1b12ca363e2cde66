// Runs the quick demo and reads from report.json which facet gives way first.
import { join } from 'node:path';
import { facet, OUT, percent, readJson } from '../facet.mjs';

const out = join(OUT, 'demo');
facet('demo', '--quick', '--out', out);

const report = readJson(join(out, 'report.json'));
const { facet: weakest } = report.facets.find(({ rank }) => rank === 1);
const cells = report.cells.filter(({ facet, objective }) => facet === weakest && objective === 'sfa');
const { epsilon, succeeded, attempted, attackSuccessRate } = cells.reduce((smallest, cell) =>
  cell.epsilon < smallest.epsilon ? cell : smallest,
);
console.log(`\nWeakest facet: ${weakest}`);
console.log(
  `At ${Math.round(epsilon * 255)}/255 the sfa objective flips ${succeeded} of ${attempted} right decisions, ${percent(attackSuccessRate)}.`,
);

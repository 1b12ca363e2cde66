// Trains networks with and without an auxiliary feature, and says which of them is harder to attack.
import { studyFiles } from '../facet.mjs';

const { combinations, features } = studyFiles().report;
for (const { backbone, features: beside, vulnerability } of combinations)
  console.log(`${backbone} with ${beside}: area under success ${vulnerability.mean.toFixed(3)}`);
for (const { name, change } of features) console.log(`${name}: ${change}`);

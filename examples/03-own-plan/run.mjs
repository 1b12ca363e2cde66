// Evaluates a network with a plan and a policy of one's own. The network and the faces are those of example 1, taken out
// of its store; the shards of a stored dataset are ordinary tar files.
import { join } from 'node:path';
import { demoFiles, facet, OUT } from '../facet.mjs';

const { model, manifest, dataset } = demoFiles();
const beside = (name) => join(import.meta.dirname, name);
const code = facet(
  'evaluate',
  ...['--model', model, '--manifest', manifest, '--dataset', dataset],
  ...['--plan', beside('plan.yaml'), '--policy', beside('policy.yaml')],
  ...['--out', join(OUT, 'own-plan')],
);
console.log(
  `A pipeline sees exit code ${code}: ${code === 0 ? 'the policy holds' : 'the policy does not hold'}.`,
);

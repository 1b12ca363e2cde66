export { consumers, producers, restrict, topologicalOrder } from './walk.js';
export { dominators } from './dominators.js';
export { flops, parameterCount } from './cost.js';

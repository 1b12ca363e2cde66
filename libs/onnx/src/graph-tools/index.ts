export { consumers, producers, restrict, topologicalOrder } from './walk.js';
export { dominators } from './dominators.js';
export { flops, parameterCount } from './cost.js';
export { LARGEST_BATCH, memoryNeed, type MemoryNeed, peakBytes, weightBytes } from './memory.js';

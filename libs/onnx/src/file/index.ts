export { DEFAULT_FILE_LIMITS, type FileLimits } from './limits.js';
export { readModel } from './read.js';
export { writeModel } from './write.js';
export { raiseOpset } from './raise/raise.js';
export { mixesSamples } from './batch/mixing.js';
export { rebatch } from './batch/rebatch.js';
export { bare } from './bare.js';

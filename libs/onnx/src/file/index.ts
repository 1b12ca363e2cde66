export { DEFAULT_FILE_LIMITS, type FileLimits } from './limits.js';
export { readModel } from './read.js';
export { writeModel } from './write.js';

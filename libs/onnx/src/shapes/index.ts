export { inferShapes, DEFAULT_LIMITS, type Limits } from './infer.js';

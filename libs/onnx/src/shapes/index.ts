export { inferShapes, DEFAULT_LIMITS, type Limits } from './infer.js';
export { dimsAt, dimsText, elementsAt } from './dims.js';

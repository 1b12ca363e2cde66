// The facet command: the whole system in one process.
export { demo, type DemoOptions } from './demo.js';
export { evaluate, type EvaluateOptions } from './evaluate.js';
export { EXIT } from './finish.js';

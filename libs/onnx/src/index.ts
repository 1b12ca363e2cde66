export * from './errors.js';
export * from './graph.js';
export * from './builder.js';
export * from './shapes/index.js';
export * from './graph-tools/index.js';
export * from './fold/index.js';
export * from './gradient/index.js';
export * from './objective/index.js';

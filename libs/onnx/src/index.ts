export * from './errors.js';
export * from './graph.js';
export * from './builder.js';
export * from './shapes/index.js';

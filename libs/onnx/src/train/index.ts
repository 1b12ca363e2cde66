export * from './spec.js';
export * from './compile.js';
export * from './state.js';

// Models, datasets, features and outcomes as checked artifacts in the object store.
export * from './datasets.js';
export * from './digest.js';
export * from './evaluations.js';
export * from './features.js';
export * from './models.js';
export { type Source } from './once.js';
export * from './records.js';
export * from './rows.js';
export * from './safetensors.js';
export * from './standing.js';
